"""An editor for a node's config: every layer before and after the edits."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.imports import ConfigView, config_view
from fleet.core.containerd.registry_settings import effective, unequal
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.render.base import DesiredConfig, file_like, known_version
from fleet.core.render.config_places import places_for
from fleet.core.render.read_only_config import OWN_CONFIG, moved_config
from fleet.core.text.toml_edit import dig, pruned, remove, set_keys
from fleet.core.text.toml_scan import Path, dotted, split
from fleet.core.text.toml_splice import Setting, add_header

_MOST_GROUPS = 100


@dataclass(slots=True)
class ConfigEditor:
    """Edits of registry settings, each in the file that decides the setting.

    `intended` is the registry table that the edits so far should result in.
    """

    facts: NodeFacts
    before: ConfigView
    view: ConfigView
    notes: list[str] = field(default_factory=list)
    intended: dict[str, Any] = field(default_factory=dict)

    def _add_note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def set(self, values: Mapping[Path, Setting], owner: str | None = None) -> None:
        """Set keys below the registry table, where the daemon reads them.

        `owner` names the layer to try first. Settings that do not fit into one table together
        are set host by host.
        """
        missing = {
            path: value for path, value in values.items() if dig(self.intended, path) != value
        }
        if not missing:
            return
        self._refuse_brackets(missing)
        try:
            self._set_together(missing, owner)
        except NodeError:
            groups = dict.fromkeys(path[:2] for path in missing)
            if not 1 < len(groups) <= _MOST_GROUPS:
                raise
            for group in groups:
                own = {path: value for path, value in missing.items() if path[:2] == group}
                self._set_together(own, owner)

    def _set_together(self, values: Mapping[Path, Setting], owner: str | None) -> None:
        intended = _with_values(self.intended, values)
        refusal: NodeError | None = None
        for place in places_for(self.view, self.facts, next(iter(values))[0], owner):
            view, layer, table = place.view, place.layer, place.table
            entries = [((*table, *path[:-1]), path[-1], value) for path, value in values.items()]
            try:
                with _naming_file(layer.path):
                    changed = view.with_text(layer.path, set_keys(layer.text, entries))
            except NodeError as error:
                refusal = refusal or error
                continue
            if not self._lost_settings(changed, intended):
                self.view, self.intended = changed, intended
                for note in place.notes:
                    self._add_note(note)
                return
        raise refusal or _refused(
            f"containerd {self.view.version} would lose another setting if"
            f" {dotted(next(iter(values)))} were written to {self.facts.config.path} or one of its"
            " imports"
        )

    def _refuse_brackets(self, values: Collection[Path]) -> None:
        if supports(self.view.version, Feature.BRACKETS_IN_HEADERS):
            return
        for path in values:
            if any("]" in part for part in path[:-1]):
                name = dotted(path[:-1])
                message = f"containerd {self.view.version} does not read a table named {name}"
                raise _refused(message, "use a DNS name for that host")

    def drop(self, paths: Collection[Path]) -> None:
        """Remove tables or keys from the registry tables that are read, in every layer."""
        self.intended = _without(self.intended, paths)
        live = {layer.path: self.view.effective_tables(layer) for layer in self.view.layers}
        for layer in self.view.layers:
            whole = [(*table, *path) for table in live[layer.path] for path in paths]
            with _naming_file(layer.path):
                text = remove(layer.text, whole)
            if text != layer.text:
                self.view = self.view.with_text(layer.path, text)

    def drop_orphans(self, owned: tuple[str, ...]) -> None:
        """Remove settings that fleet wrote into the config and mirrors.yaml no longer names."""
        still_owned = set(owned)
        gone = [name for name in self.facts.state.legacy if name not in still_owned]
        if not gone:
            return
        paths = [split(name) for name in gone]
        self.drop(paths)
        empty = {path[:2] for path in paths if path[0] == "configs" and len(path) > 2}
        self.drop([path for path in sorted(empty) if dig(self.intended, path) == {}])
        self._add_note(f"{', '.join(gone)}: no longer in mirrors.yaml, removed")

    def settle(self) -> None:
        """Raise a NodeError unless the edits have exactly the intended result."""
        lost = self._lost_settings(self.view, self.intended)
        if lost:
            self._keep_emptied_tables()
            lost = self._lost_settings(self.view, self.intended)
        if lost:
            raise _refused(
                f"containerd {self.view.version} would misread the new config ({lost}), because"
                f" the imports of {self.facts.config.path} replace one another's settings"
            )

    def _lost_settings(self, view: ConfigView, intended: Mapping[str, Any]) -> str:
        """Return the names of settings that a view does not have as intended; empty if none."""
        version = view.version
        if not view.config.certain:
            return "plugins.cri and its full name in one file: either is used at random"
        paths = unequal(effective(version, intended), effective(version, view.merged()))
        if paths:
            return ", ".join(dotted(path) for path in paths[:3])
        old, new = self.before.config, view.config
        same = old.config_version == new.config_version and pruned(dict(old.rest)) == pruned(
            dict(new.rest)
        )
        return "" if same else "settings outside the registry"

    def _keep_emptied_tables(self) -> None:
        """Write an emptied table's header again, so that the empty table still replaces others."""
        old = {layer.path: layer for layer in self.before.layers}
        for layer in self.view.layers:
            was = old.get(layer.path, layer)
            for table in self.view.effective_tables(layer):
                if dig(was.data, table[:2]) is not None and dig(layer.data, table[:2]) is None:
                    text = add_header(layer.text, table[:2])
                    self.view = self.view.with_text(layer.path, text)

    def files(self, *, secret: bool) -> dict[str, ManagedFile]:
        """Return the changed layers as files; a config below /usr is copied to /etc."""
        self.settle()
        files: dict[str, ManagedFile] = {}
        old = {layer.path: layer.text for layer in self.before.layers}
        for layer in self.view.layers:
            if layer.text == old.get(layer.path):
                continue
            content = (layer.mark + layer.text).encode("utf-8", "surrogateescape")
            if layer.path.startswith("/usr/"):
                if layer.path != self.view.root.path:
                    message = f"{layer.path} is an import below /usr"
                    raise _refused(message, "move it to /etc by hand")
                files.update(moved_config(self.facts, content, secret=secret))
                self._add_note(
                    f"{layer.path} is read-only: copied to {OWN_CONFIG}, which the unit now uses"
                )
            else:
                files[layer.path] = file_like(self.facts, layer.path, content, secret=secret)
        return files

    @property
    def config(self) -> str:
        """Return the path that the root will have."""
        root = self.view.root
        moved = root.path.startswith("/usr/") and root.text != self.before.root.text
        return OWN_CONFIG if moved else root.path


def open_editor(facts: NodeFacts, desired: DesiredConfig) -> ConfigEditor:
    """Return an editor for the node's config, or for a new one in a form that its version reads."""
    version = known_version(facts)
    # Every release from 1.3 to 2.3 reads version 2. Release 1.2 does not know `version`.
    minimal = "version = 2\n" if supports(version, Feature.CONFIG_VERSION_2) else ""
    start = facts.config.default if desired.full_default and facts.config.default else minimal
    view = config_view(facts, version, start)
    return ConfigEditor(facts, view, view, intended=view.merged())


def _with_values(registry: Mapping[str, Any], values: Mapping[Path, Setting]) -> dict[str, Any]:
    """Return a copy of a registry table with values set."""
    result = copy.deepcopy(dict(registry))
    for path, value in values.items():
        place = result
        for name in path[:-1]:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise _refused(f"{dotted(path)}: {name} is not a table", "fix the file by hand")
        place[path[-1]] = value
    return result


def _without(registry: Mapping[str, Any], paths: Collection[Path]) -> dict[str, Any]:
    """Return a copy of a registry table without some of its keys."""
    result = copy.deepcopy(dict(registry))
    for path in paths:
        above = dig(result, path[:-1])
        if isinstance(above, dict):
            above.pop(path[-1], None)
    return result


@contextmanager
def _naming_file(path: str) -> Iterator[None]:
    """Add the path of the file to a NodeError that refuses an edit."""
    try:
        yield
    except NodeError as error:
        raise _refused(f"{path}: {error.failure.message}", error.failure.remedy) from error


def _refused(message: str, remedy: str = "put CRI's settings into one file by hand") -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
