"""The strategy for containerd 1.5 and newer: config_path and certs.d, read at every pull."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.legacy_settings import has_legacy, legacy_paths
from fleet.core.containerd.managed_header import MIGRATED
from fleet.core.containerd.registry_settings import difference
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import foreign_hosts, lint, reads_lists
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign, Registry
from fleet.core.model.paths import clean_path
from fleet.core.render.base import (
    DesiredConfig,
    DesiredFiles,
    Refusals,
    auth_settings,
    known_version,
    parsed_dump,
)
from fleet.core.render.config_editor import ConfigEditor, open_editor
from fleet.core.render.dormant_folders import chosen_directory, folder_check, refuse_broken
from fleet.core.render.hosts_folder import hosts_folder_files
from fleet.core.render.migration import Migration, migrate, shortened_list
from fleet.core.text.documents import word
from fleet.core.text.toml_scan import Path, dotted
from fleet.core.text.toml_splice import Setting


class CertsD:
    """A strategy that writes one hosts.toml per registry and sets config_path once."""

    name = "certs.d"

    def supports(self, facts: NodeFacts) -> bool:
        """Return whether the node's version knows config_path."""
        return facts.daemon.version is not None and supports(
            facts.daemon.version, Feature.CONFIG_PATH
        )

    def render(self, facts: NodeFacts, desired: DesiredConfig) -> DesiredFiles:
        """Return every hosts.toml, and the config if config_path is not in force yet."""
        version = known_version(facts)
        editor = open_editor(facts, desired)
        findings = list(lint(editor.view, facts))
        Refusals(findings).check()
        _refuse_other_config_path(facts, editor)
        auth = auth_settings(desired.registries)
        owned = tuple(dotted(("configs", host, "auth")) for host in auth)
        editor.drop_orphans(owned)
        # The owner is determined before settings are removed. An import that lost its whole CRI
        # table would no longer replace that of the root, so more than the registry would change.
        owner = editor.view.owner("config_path").path
        migration = _migrate_legacy(editor)
        directory = _choose_directory(editor, owner)
        editor.set(_settings(auth))
        registries = tuple(migration.dressed(registry) for registry in desired.registries)
        loose = _not_in_mirrors_yaml(migration.registries, registries)
        files, skipped = hosts_folder_files(registries, directory, facts, desired.foreign)
        extra, _ = hosts_folder_files(loose, directory, facts, Foreign.ADOPT, MIGRATED)
        managed = frozenset(files) | frozenset(extra)
        findings += foreign_hosts(facts, version, managed)
        dormant = tuple(folder_check(editor.before, facts, managed, desired.foreign).findings())
        refuse_broken(dormant)
        findings += dormant
        config = editor.files(secret=bool(owned))
        if not config:
            _refuse_ineffective(facts, editor)
        return DesiredFiles(
            {**config, **extra, **files},
            directory,
            owned,
            (*editor.notes, *migration.notes, *_loose_note(loose), *skipped),
            frozenset(extra) - frozenset(files),
            editor.config,
            tuple(findings),
            intended_registry=editor.intended,
        )


def _refuse_other_config_path(facts: NodeFacts, editor: ConfigEditor) -> None:
    """Raise a NodeError if the daemon reads another config_path from its files than fleet."""
    if facts.offline:
        return
    registry = effective_registry(parsed_dump(facts))
    fleet_path = word(editor.view.merged(), "config_path")
    daemon_path = word(registry, "config_path")
    default = not fleet_path and supports(editor.view.version, Feature.CONFIG_PATH_DEFAULT)
    if fleet_path != daemon_path and not default:
        message = (
            f"containerd reads config_path {daemon_path!r} from its files, but fleet reads"
            f" {fleet_path!r}"
        )
        remedy = f"look for an import of {facts.config.path} that fleet does not find"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _refuse_ineffective(facts: NodeFacts, editor: ConfigEditor) -> None:
    """Raise a NodeError if the config is unchanged and the daemon reads other settings."""
    if facts.offline:
        return
    names = difference(editor.view.version, editor.intended, effective_registry(parsed_dump(facts)))
    if names:
        message = (
            f"{facts.config.path} has the desired settings, but containerd reads other values of"
            f" {names}"
        )
        remedy = "look for these settings in its imports"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _migrate_legacy(editor: ConfigEditor) -> Migration:
    """Remove legacy settings from every layer, and return the registries that replace them."""
    merged = editor.view.merged()
    if not has_legacy(merged):
        return Migration((), {}, ())
    migration = migrate(merged, editor.view.owner("mirrors").path)
    _refuse_missing(migration, editor.facts)
    editor.drop(list(legacy_paths(merged)))
    names = (
        shortened_list(sorted(_shown_name(registry.name) for registry in migration.registries))
        or "none"
    )
    note = f"legacy settings move to certs.d ({names})"
    if any(editor.intended.get(key) for key in ("configs", "auths", "headers")):
        note += "; credentials and headers stay in config.toml, where containerd still reads them"
    return replace(migration, notes=(note, *migration.notes))


def _shown_name(name: str) -> str:
    return "*" if name == "_default" else name


def _refuse_missing(migration: Migration, facts: NodeFacts) -> None:
    """Raise a NodeError for a missing certificate: it would fail every pull of its registry."""
    for host, tls in migration.tls.items():
        for path in tls.paths:
            if facts.config.certificates is not None and path not in facts.config.certificates:
                message = (
                    f"configs.{host}.tls names {path}, which does not exist; in certs.d every pull"
                    " would fail"
                )
                remedy = f"create that file, or remove the setting from {facts.config.path}"
                raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _not_in_mirrors_yaml(
    registries: Iterable[Registry], named: tuple[Registry, ...]
) -> tuple[Registry, ...]:
    names = {registry.name for registry in named}
    return tuple(registry for registry in registries if registry.name not in names)


def _loose_note(loose: tuple[Registry, ...]) -> Iterator[str]:
    if loose:
        names = shortened_list([_shown_name(registry.name) for registry in loose])
        yield (
            f"not in mirrors.yaml: {names}; their legacy settings move to a hosts.toml each, which"
            " later rollouts leave alone"
        )


def _settings(auth: dict[str, tuple[tuple[str, str], ...]]) -> dict[Path, Setting]:
    """Return credentials by setting; all releases read them beside config_path."""
    return {
        ("configs", host, "auth", key): value
        for host, pairs in auth.items()
        for key, value in pairs
    }


def _choose_directory(editor: ConfigEditor, owner: str) -> str:
    """Return the directory for hosts.toml files; set config_path if it does not name it."""
    current = word(editor.intended, "config_path")
    directory = chosen_directory(current)
    if ":" in current and reads_lists(editor.view):
        editor.notes.append(
            f"config_path {current!r} names several directories; fleet writes to the first"
        )
        return directory
    if current.startswith("/") and clean_path(current) == directory:
        return directory
    if current:
        editor.notes.append(f"config_path {current!r} is not read as written; set to {directory}")
    editor.set({("config_path",): directory}, owner)
    return directory
