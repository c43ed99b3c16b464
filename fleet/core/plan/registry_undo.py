"""Plans that undo one registry: its own files or table go back, and the rest stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet.core.failure import NodeError
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import Generation
from fleet.core.model.owned_state import STATE_FILE, OwnedState, parse_state
from fleet.core.plan.diff import order_changes
from fleet.core.plan.hosts_directory import folder_before
from fleet.core.plan.node_plan import NodePlan, PlannedFiles
from fleet.core.plan.path_checks import refuse_odd
from fleet.core.plan.planner import config_before, daemon_access, observations
from fleet.core.plan.registry_hosts import (
    CERTIFICATES,
    RegistryFiles,
    hosts_to_restore,
    inseparable,
    restore_host,
)
from fleet.core.plan.restart_cost import restart_cost
from fleet.core.plan.restart_risk import planned_restart
from fleet.core.plan.undo_notes import undo_notes
from fleet.core.plan.undo_request import UndoRequest, later_changes
from fleet.core.render.base import DesiredConfig
from fleet.core.render.config_editor import ConfigEditor, open_editor
from fleet.core.text.toml_edit import dig
from fleet.core.text.toml_scan import Path, dotted


@dataclass(frozen=True, slots=True)
class _Saved:
    """The saved files of the generations to undo, and fleet's record as it was then."""

    files: Mapping[str, ManagedFile | None]
    record: OwnedState


@dataclass(frozen=True, slots=True)
class _Edited:
    """Changes outside the registry's folder, and the hosts whose settings they restore."""

    changes: tuple[Change, ...] = ()
    hosts: tuple[str, ...] = ()
    intended: Mapping[str, Any] | None = None


def plan_registry_undo(
    base: NodePlan, facts: NodeFacts, generations: Sequence[Generation], request: UndoRequest
) -> NodePlan:
    """Return the plan that undoes one registry, as a change of its own with its own generation."""
    name = request.registry or ""
    undone = [one for one in generations if request.with_later or request.only in {None, one.id}]
    saved = _saved(undone)
    _refuse_shared_file(saved)
    folder = tuple(_folder_changes(facts, saved, name))
    _refuse_moved(facts, saved, folder, name)
    edited = _edited_settings(facts, saved, name, mirrors=not folder)
    changes = (*folder, *edited.changes)
    if not changes:
        return replace(base, rollback=None, notes=(f"nothing to undo: {name} is as it was then",))
    _refuse_later(undone, generations, changes, request)
    refuse_odd(facts, changes, rollback=True)
    cost = restart_cost(changes, facts.config.path)
    folders = {change.path.rpartition("/")[0] for change in changes if change.after is None}
    return replace(
        base,
        rollback=None,
        changes=order_changes(changes),
        files=PlannedFiles(
            emptied_folders=tuple(sorted(folders)),
            state=_record_after(facts, saved, changes, (name, *edited.hosts)),
            state_before=facts.files.get(STATE_FILE),
        ),
        notes=(f"undoes {name} alone", *undo_notes(undone, request.messages), *observations(facts)),
        restart=planned_restart(facts, cost),
        daemon=daemon_access(facts),
        config=replace(
            config_before(facts),
            folder_before=folder_before(facts),
            intended_registry=edited.intended,
        ),
    )


def _saved(generations: Sequence[Generation]) -> _Saved:
    """Return the oldest saved state of each path."""
    files: dict[str, ManagedFile | None] = {}
    for generation in generations:
        files.update({entry.path: entry.before for entry in generation.entries if entry.is_file})
    record = files.pop(STATE_FILE, None)
    return _Saved(files, parse_state(record.content if record else None))


def _folder_changes(facts: NodeFacts, saved: _Saved, name: str) -> Iterator[Change]:
    """Yield the changes of the registry's own folder in a hosts directory."""
    host, colon, port = name.rpartition(":")
    folders = {name, f"{host}_{port}_"} if colon else {name}
    for path, before in saved.files.items():
        now = facts.files.get(path)
        same = now == before or (now and before and now.link and now.link == before.link)
        if path.split("/")[-2] in folders and not same:
            yield Change(path, now, before)


def _edited_settings(facts: NodeFacts, saved: _Saved, name: str, *, mirrors: bool) -> _Edited:
    """Return the changes outside the registry's folder: its table, and its hosts' settings."""
    configs = {path: file for path, file in saved.files.items() if _holds_settings(path)}
    if not configs:
        return _Edited()
    files = {path: file for path, file in {**facts.files, **saved.files}.items() if file}
    then = RegistryFiles(files, _registry_table(replace(facts, files=files)))
    editor = open_editor(facts, DesiredConfig(()))
    now = RegistryFiles(facts.files, editor.intended)
    hosts = tuple(hosts_to_restore(name, now, then))
    if mirrors and facts.config.path in configs:
        _restore_table(editor, then.settings, ("mirrors", "*" if name == "_default" else name))
    for host in hosts:
        restore_host(editor, host, then)
    secret = any(file.secret for file in (*facts.files.values(), *files.values()))
    login = any(then.host(host).get("auth") or now.host(host).get("auth") for host in hosts)
    written: dict[str, ManagedFile | None] = {}
    if editor.intended != now.settings:
        edited = editor.files(secret=secret or login)
        written.update({path: _as_saved(file, configs.get(path)) for path, file in edited.items()})
    named = (
        path for host in hosts for path in {**now.certificates(host), **then.certificates(host)}
    )
    written.update({path: saved.files[path] for path in named if path in saved.files})
    pairs = ((path, facts.files.get(path), file) for path, file in written.items())
    changes = tuple(Change(*pair) for pair in pairs if pair[1] != pair[2])
    return _Edited(changes, hosts, editor.intended if changes else None)


def _as_saved(file: ManagedFile | None, saved: ManagedFile | None) -> ManagedFile | None:
    """Return the saved file, with its mode and owner, if the undo leads back to its bytes."""
    return saved if file and saved and file.content == saved.content else file


def _holds_settings(path: str) -> bool:
    """Return whether a file may hold a registry table, a login, or a certificate of a host."""
    return path.startswith(CERTIFICATES) or (
        path.endswith(".toml") and not path.endswith("/hosts.toml")
    )


def _registry_table(facts: NodeFacts) -> Mapping[str, Any]:
    return open_editor(facts, DesiredConfig(())).intended


def _restore_table(editor: ConfigEditor, then: Mapping[str, Any], table: Path) -> None:
    """Put the registry's saved mirror table into the present config, if it is not as it was.

    A node that has a config_path by now does not get a table again.
    """
    before, now = dig(then, table), dig(editor.intended, table)
    if before == now or (now is None and before is not None and editor.intended.get("config_path")):
        return
    kept = dict(before or {})
    editor.drop([(*table, key) for key in dict(now or {}) if key not in kept] if kept else [table])
    editor.set({(*table, key): value for key, value in kept.items()})


def _refuse_shared_file(saved: _Saved) -> None:
    """Raise a NodeError if one file holds all registries of the node, as on k3s and RKE2."""
    shared = next((path for path in saved.files if path.endswith("/registries.yaml")), "")
    if shared:
        raise inseparable(f"{shared} holds all registries of this node")


def _refuse_moved(facts: NodeFacts, saved: _Saved, folder: Sequence[Change], name: str) -> None:
    """Raise a NodeError if the registry's old config was in a file that must stay as it is."""
    config = saved.files.get(facts.config.path)
    if folder and config is not None and f'mirrors."{name}"'.encode() in config.content:
        raise inseparable(f"{name} was in {facts.config.path} before the move to certs.d")


def _refuse_later(
    undone: Sequence[Generation],
    generations: Sequence[Generation],
    changes: Sequence[Change],
    request: UndoRequest,
) -> None:
    """Raise a NodeError if a later rollout has changed the same files."""
    paths = {change.path for change in changes}
    later = [
        one.id
        for one in generations
        if one not in undone and any(entry.path in paths for entry in one.entries)
    ]
    if later:
        failure = later_changes(request.only or "", later)
        raise NodeError(failure.kind, failure.step, failure.message, failure.remedy)


def _record_after(
    facts: NodeFacts, saved: _Saved, changes: Sequence[Change], names: Sequence[str]
) -> OwnedState:
    """Return fleet's record once the registry is as it was: what was fleet's then is so again."""
    now, then = facts.state, saved.record
    files, migrated = dict(now.files), dict(now.migrated)
    for change in changes:
        for owned, before in ((files, then.files), (migrated, then.migrated)):
            config = change.path == facts.config.path and change.path in owned
            owned.pop(change.path, None)
            if change.after is not None and (config or change.path in before):
                owned[change.path] = change.after.digest
    name, *hosts = names
    restored = {dotted(("mirrors", "*" if name == "_default" else name))}
    restored |= {dotted(("configs", host, key)) for host in hosts for key in ("auth", "tls")}
    legacy = [setting for setting in now.legacy if setting not in restored]
    legacy += [setting for setting in then.legacy if setting in restored]
    return OwnedState(now.generation, files, tuple(legacy), migrated)
