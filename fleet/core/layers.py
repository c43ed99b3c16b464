"""The files that make up a daemon's config: the root, its imports, and how they are merged."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from fleet.core.capabilities import Feature, can
from fleet.core.config_toml import (
    CRI_1,
    config_version,
    live_plugins,
    parse_config,
    registry_table,
)
from fleet.core.documents import words
from fleet.core.facts import NodeFacts
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.places import clean_path
from fleet.core.toml_edit import dig
from fleet.core.toml_text import Path, newline_of, statements
from fleet.core.versions import ContainerdVersion

_MOST = 200


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of the config, as text and parsed."""

    path: str
    text: str
    data: Mapping[str, Any]

    def line(self, path: Path) -> int:
        """Return the line, from 1, where a table or key begins; 1 where it is not said."""
        found = (each for each in statements(self.text) if each.below(path))
        first = next(found, None)
        return self.text[: first.start].count("\n") + 1 if first else 1

    def at(self, path: Path) -> str:
        """Name file and line of a table or key."""
        return f"{self.path}:{self.line(path)}"


@dataclass(frozen=True, slots=True)
class ConfigView:
    """All layers in the order in which the daemon merges them, the root first."""

    version: ContainerdVersion
    layers: tuple[Layer, ...]

    @property
    def root(self) -> Layer:
        """Return the file that the daemon is started with."""
        return self.layers[0]

    def said(self, layer: Layer) -> int:
        """Return the config version by which a layer is read: an import follows its root."""
        data = layer.data if "version" in layer.data else self.root.data
        return config_version(data, self.version, layer.path)

    def live(self, layer: Layer) -> Iterator[Path]:
        """Yield the registry tables that are read in this layer; the later one wins."""
        for plugin in live_plugins(self.version, self.said(layer)):
            yield ("plugins", plugin, "registry")

    def merged(self) -> dict[str, Any]:
        """Return the registry table that the files come to, without the daemon's defaults."""
        result: dict[str, Any] = {}
        for layer in self.layers:
            for table in self.live(layer):
                plugin = dig(layer.data, table[:2])
                if not isinstance(plugin, Mapping):
                    continue
                if not can(self.version, Feature.IMPORTS_MERGE):
                    result = {}
                found = plugin.get("registry")
                if isinstance(found, Mapping):
                    result = _merged(result, found)
        return result

    def owner(self, key: str) -> Layer:
        """Return the layer whose word on a registry key counts, or in which it should be put.

        Before 2.0 the last file that has CRI's table replaces those of all others.
        """
        for layer in reversed(self.layers):
            for table in self.live(layer):
                if not can(self.version, Feature.IMPORTS_MERGE):
                    held = dig(layer.data, table[:2]) is not None
                else:
                    held = bool(dig(layer.data, (*table, key)))
                if held:
                    return layer
        return self.root

    def table(self, layer: Layer) -> Path:
        """Return the registry table to write in a layer."""
        data = layer.data if "version" in layer.data else self.root.data
        old = ("plugins", CRI_1, "registry")
        versionless = self.said(layer) < 2
        if versionless and old in self.live(layer) and dig(layer.data, old[:2]) is not None:
            return old  # where such a file has this table as well, its word counts
        return registry_table(data, self.version, layer.path)

    def with_text(self, path: str, text: str) -> ConfigView:
        """Return the view as it is once one layer has a new text."""
        changed = (
            Layer(path, text, parse_config(text, path)) if each.path == path else each
            for each in self.layers
        )
        return replace(self, layers=tuple(changed))


def config_view(facts: NodeFacts, version: ContainerdVersion, start: str) -> ConfigView:
    """Read all layers of a node; `start` stands for a root that is absent or empty."""
    text = facts.config_text or start
    layers = [Layer(facts.config, text, parse_config(text, facts.config))]
    pending = _imports(layers[0], facts, version)
    while pending and len(layers) < _MOST:
        path = pending.pop(0)
        kept = facts.files.get(path)
        if kept is None or any(each.path == path for each in layers):
            continue
        content = kept.content.decode("utf-8", "surrogateescape")
        layers.append(Layer(path, content, parse_config(content, path)))
        pending += _imports(layers[-1], facts, version)
    return ConfigView(version, tuple(layers))


def _imports(layer: Layer, facts: NodeFacts, version: ContainerdVersion) -> list[str]:
    """Resolve the imports of one file, in the order in which the daemon follows them."""
    if not can(version, Feature.IMPORTS):
        return []
    folder = layer.path.rpartition("/")[0]
    found: list[str] = []
    for pattern in filter(None, words(layer.data, "imports")):
        relative = not pattern.startswith("/")
        if "*" not in pattern:
            path = clean_path(f"{folder}/{pattern}" if relative else pattern)
            if path not in facts.files and can(version, Feature.IMPORT_MUST_EXIST):
                raise _missing(layer, path)
            found.append(path)
        elif not relative or can(version, Feature.RELATIVE_GLOBS):
            whole = clean_path(f"{folder}/{pattern}" if relative else pattern)
            found += sorted(path for path in facts.files if _matches(path, whole))
    return found


def _missing(layer: Layer, path: str) -> NodeError:
    where = layer.at(("imports",))
    message = (
        f"{where}: imports {path}, which was not found or not read; put it there or take it out"
    )
    return NodeError(FailureKind.CONFLICT, "plan", message)


def _matches(path: str, pattern: str) -> bool:
    """Match as Go's filepath.Glob does: a star stays within one folder."""
    parts, wanted = path.split("/"), pattern.split("/")
    if len(parts) != len(wanted):
        return False
    return all(fnmatchcase(part, want) for part, want in zip(parts, wanted, strict=True))


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested tables key by key; `over` wins, and lists are replaced."""
    result = copy.deepcopy(dict(base))
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            result[key] = _merged(old, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def imported_folder(view: ConfigView) -> str | None:
    """Return a folder of which the root imports every *.toml by an absolute path."""
    for pattern in words(view.root.data, "imports"):
        folder, _, name = pattern.rpartition("/")
        if name == "*.toml" and folder.startswith("/") and "*" not in folder:
            return folder
    return None


def new_layer(view: ConfigView, path: str) -> ConfigView:
    """Add an import that is not there yet; it says the same version as the root."""
    newline = newline_of(view.root.text)
    said = view.root.data.get("version")
    text = "# Managed by fleet: change mirrors.yaml instead." + newline
    text += f"version = {said}{newline}" if said is not None else ""
    return replace(view, layers=(*view.layers, Layer(path, text, parse_config(text, path))))
