"""Plans that undo one registry: its own files or table go back, and the rest stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import Generation
from fleet.core.model.owned_state import STATE_FILE, OwnedState, parse_state
from fleet.core.plan.diff import order_changes
from fleet.core.plan.hosts_directory import folder_before
from fleet.core.plan.node_plan import NodePlan, PlannedFiles, PlannedRestart
from fleet.core.plan.path_checks import refuse_odd
from fleet.core.plan.planner import config_before, daemon_access, observations
from fleet.core.plan.restart_cost import restart_cost
from fleet.core.plan.restart_risk import restart_risk
from fleet.core.plan.undo_notes import undo_notes
from fleet.core.plan.undo_request import UndoRequest, later_changes
from fleet.core.render.base import DesiredConfig
from fleet.core.render.config_editor import ConfigEditor, open_editor
from fleet.core.text.toml_edit import dig
from fleet.core.text.toml_scan import dotted


@dataclass(frozen=True, slots=True)
class _Saved:
    """The saved files of the generations to undo, and fleet's record as it was then."""

    files: Mapping[str, ManagedFile | None]
    record: OwnedState


def plan_registry_undo(
    base: NodePlan, facts: NodeFacts, generations: Sequence[Generation], request: UndoRequest
) -> NodePlan:
    """Return the plan that undoes one registry, as a change of its own with its own generation."""
    name = request.registry or ""
    undone = [one for one in generations if request.with_later or request.only in {None, one.id}]
    saved = _saved(undone)
    _refuse_shared_file(saved)
    changes = tuple(_folder_changes(facts, saved, name))
    edited = None if changes else _edited_config(facts, saved, name)
    if edited is not None:
        files = edited.files(secret=any(file.secret for file in facts.files.values()))
        changes = tuple(Change(path, facts.files.get(path), file) for path, file in files.items())
    if not changes:
        return replace(base, rollback=None, notes=(f"nothing to undo: {name} is as it was then",))
    _refuse_inseparable(facts, saved, changes, name)
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
            state=_record_after(facts, saved, changes, name),
            state_before=facts.files.get(STATE_FILE),
        ),
        notes=(f"undoes {name} alone", *undo_notes(undone, request.messages), *observations(facts)),
        restart=PlannedRestart(cost=cost, risk=restart_risk(facts, cost)),
        daemon=daemon_access(facts),
        config=replace(
            config_before(facts),
            folder_before=folder_before(facts),
            intended_registry=edited.intended if edited is not None else None,
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


def _edited_config(facts: NodeFacts, saved: _Saved, name: str) -> ConfigEditor | None:
    """Return an editor that has put the registry's saved mirror table into the present config.

    Return None if no generation has saved the config, or if the table is as it was.
    """
    configs = {path: file for path, file in saved.files.items() if path.endswith(".toml")}
    if facts.config.path not in configs:
        return None
    files = {path: file for path, file in {**facts.files, **configs}.items() if file is not None}
    table = ("mirrors", "*" if name == "_default" else name)
    before = dig(open_editor(replace(facts, files=files), DesiredConfig(())).intended, table)
    editor = open_editor(facts, DesiredConfig(()))
    now = dig(editor.intended, table)
    if before == now or (now is None and before is not None and editor.intended.get("config_path")):
        return None
    kept = dict(before or {})
    editor.drop([(*table, key) for key in dict(now or {}) if key not in kept] if kept else [table])
    editor.set({(*table, key): value for key, value in kept.items()})
    return editor


def _refuse_shared_file(saved: _Saved) -> None:
    """Raise a NodeError if one file holds all registries of the node, as on k3s and RKE2."""
    shared = next((path for path in saved.files if path.endswith("/registries.yaml")), "")
    if shared:
        raise _refused(f"{shared} holds all registries of this node")


def _refuse_inseparable(
    facts: NodeFacts, saved: _Saved, changes: Sequence[Change], name: str
) -> None:
    """Raise a NodeError if the registry's old config was in a file that must stay as it is."""
    if any(change.path == facts.config.path for change in changes):
        return
    config = saved.files.get(facts.config.path)
    if config is not None and f'mirrors."{name}"'.encode() in config.content:
        raise _refused(f"{name} was in {facts.config.path} before the move to certs.d")


def _refused(reason: str) -> NodeError:
    message = f"{reason}, so one registry cannot be undone alone"
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, "undo all, without --registry")


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
    facts: NodeFacts, saved: _Saved, changes: Sequence[Change], name: str
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
    table = dotted(("mirrors", "*" if name == "_default" else name))
    legacy = [setting for setting in now.legacy if setting != table]
    legacy += [table] if table in then.legacy else []
    return OwnedState(now.generation, files, tuple(legacy), migrated)
