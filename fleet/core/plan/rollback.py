"""Plans of rollbacks, from saved generations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from fleet.core.failure import NodeError
from fleet.core.model.change import Action, Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import Generation, SavedKind
from fleet.core.model.health import refuse_replaced
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.paths import file_key, folders_above
from fleet.core.model.pending import pending_findings
from fleet.core.plan.diff import order_changes
from fleet.core.plan.hosts_directory import folder_before
from fleet.core.plan.node_plan import NodePlan, PlannedFiles, RollbackTarget
from fleet.core.plan.path_checks import refuse_odd
from fleet.core.plan.planner import config_before, daemon_access, observations
from fleet.core.plan.registry_undo import plan_registry_undo
from fleet.core.plan.restart_cost import restart_cost
from fleet.core.plan.restart_risk import planned_restart
from fleet.core.plan.undo_notes import undo_notes
from fleet.core.plan.undo_request import UndoRequest, select_generations


def plan_rollback(node: Node, facts: NodeFacts, request: UndoRequest | None = None) -> NodePlan:
    """Return the plan that reverts the generations that a request selects, the newest first."""
    request = request or UndoRequest()
    version = str(facts.daemon.version) if facts.daemon.version else None
    base = NodePlan(
        node=node,
        containerd=version,
        strategy="rollback",
        rollback=RollbackTarget(),
        findings=tuple(pending_findings(facts.pending)),
    )
    selected = select_generations(facts, request)
    if selected.failure is not None:
        return replace(base, failure=selected.failure)
    if not selected.generations:
        return replace(base, notes=(f"nothing to undo: {selected.nothing}",))
    try:
        if request.registry is not None:
            return plan_registry_undo(base, facts, selected.generations, request)
        return plan_revert(base, facts, selected.generations, request.messages)
    except NodeError as error:
        return replace(base, failure=error.failure)


def plan_revert(
    base: NodePlan,
    facts: NodeFacts,
    generations: tuple[Generation, ...],
    messages: Mapping[str, str] | None = None,
) -> NodePlan:
    """Return the plan that restores the state before the last of these generations."""
    before: dict[str, ManagedFile | None] = {}
    for generation in generations:
        before.update({entry.path: entry.before for entry in generation.entries if entry.is_file})
    known = STATE_FILE in before
    restored = before.pop(STATE_FILE, None) if known else facts.files.get(STATE_FILE)
    pairs = ((path, facts.files.get(path), file) for path, file in before.items())
    changes = order_changes(Change(*pair) for pair in pairs if not _is_same(*pair[1:]))
    refuse_odd(facts, changes, rollback=True)
    cost = restart_cost(changes, facts.config.path)
    refuse_replaced(facts, cost)
    return replace(
        base,
        changes=changes,
        files=PlannedFiles(
            emptied_folders=_made_directories(generations),
            state_before=facts.files.get(STATE_FILE),
        ),
        notes=(
            *undo_notes(generations, messages or {}),
            *_edit_notes(facts, changes),
            *_moved_notes(generations),
            *_health_notes(generations[-1]),
            *observations(facts),
        ),
        restart=planned_restart(facts, cost),
        daemon=daemon_access(facts),
        config=replace(config_before(facts), folder_before=folder_before(facts)),
        rollback=RollbackTarget(
            generation=generations[-1].id,
            undoes=tuple(generation.id for generation in generations),
            state=restored,
            unhealthy=generations[-1].was_unhealthy,
            saved_copies=_saved_copies(generations, changes),
            saved_links=_saved_links(generations, changes),
        ),
    )


def _is_same(now: ManagedFile | None, before: ManagedFile | None) -> bool:
    """Return whether a path is as it was before; links are equal if their targets are."""
    if now is not None and before is not None and now.link and before.link:
        return now.link == before.link
    return now == before


def _edit_notes(facts: NodeFacts, changes: Iterable[Change]) -> Iterator[str]:
    """Yield a note for each file that was edited since fleet wrote it: its bytes are saved."""
    digests = facts.owned_by_key()
    for change in changes:
        owned = digests.get(file_key(facts.paths.entries, change.path))
        if owned and change.before is not None and change.before.digest != owned:
            yield (
                f"{change.path} was edited since fleet wrote it (backup kept: `fleet rollback --to`"
                " with the ID of this rollback restores it)"
            )


def _health_notes(last: Generation) -> Iterator[str]:
    """Yield a note if the rollback leads to a state that was not healthy."""
    if last.was_unhealthy:
        yield (
            f"the node was unhealthy when generation {last.id} was saved ({last.was_unhealthy});"
            " the rollback restores that state"
        )


def _moved_notes(generations: Iterable[Generation]) -> Iterator[str]:
    """Yield a note for everything that was not a plain file and that the node moved away."""
    for entry in (
        entry
        for generation in generations
        for entry in generation.entries
        if entry.copied is SavedKind.ODD
    ):
        yield f"the original of {entry.path} (not a regular file) stays at {entry.saved}"


def _saved_copies(
    generations: Iterable[Generation], changes: Iterable[Change]
) -> tuple[tuple[str, str], ...]:
    """Return the oldest copy of every file that the rollback creates again, and of its folders.

    A folder that fleet removed and made again later is there, but without its attributes.
    """
    entries = [entry for generation in generations for entry in generation.entries]
    files = {entry.path: entry.saved for entry in entries if entry.is_file}
    folders = {entry.path: entry.saved for entry in entries if entry.copied is SavedKind.FOLDER}
    written = [change.path for change in changes if change.after is not None]
    created = [
        change.path
        for change in changes
        if change.action is Action.CREATE or (change.after is not None and change.after.link)
    ]
    above = {folder for path in written for folder in folders_above(path)}
    pairs = [(files.get(path), path) for path in created]
    pairs += [(folders.get(path), path) for path in sorted(above)]  # Folders follow the files.
    return tuple((saved, path) for saved, path in pairs if saved)


def _saved_links(
    generations: Iterable[Generation], changes: Iterable[Change]
) -> tuple[tuple[str, str], ...]:
    """Return the saved hard links to the files that the rollback restores."""
    links: dict[str, str] = {}
    for entry in (entry for generation in generations for entry in generation.entries):
        if entry.is_file:
            links.pop(entry.path, None)
        elif entry.copied is SavedKind.LINK:
            links[entry.path] = entry.saved
    paths = (change.path for change in changes if change.after is not None)
    return tuple((links[path], path) for path in paths if path in links)


def _made_directories(generations: Iterable[Generation]) -> tuple[str, ...]:
    """Return the directories that the changes created, the deepest first."""
    paths = {
        entry.path for generation in generations for entry in generation.entries if entry.directory
    }
    return tuple(sorted(paths, key=lambda path: (-path.count("/"), path)))
