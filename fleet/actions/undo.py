"""The undo: it reverts what one rollout changed, on the nodes that it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.new_job import JobRequest, plan_job, run_job
from fleet.actions.options import RolloutOptions
from fleet.actions.rollback import survey_undo, undo_request
from fleet.actions.session import Session
from fleet.core.history.rollout_ids import LAST
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.errors import FleetError, NothingToDoError
from fleet.journal import Journal, RolloutRecord, is_there


def undo(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles,
) -> RolloutResult:
    """Undo the rollout that `options.undoes` names, on those of `nodes` that it changed."""
    return run_job(_request(inventory, nodes, options, session, journal), session, journal)


def plan_undo(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles,
) -> list[NodePlan]:
    """Return the plans that an undo would carry out, changing nothing."""
    return plan_job(_request(inventory, nodes, options, session, journal), session)


def _request(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles,
) -> JobRequest:
    record, changed = changed_by(journal, options.undoes)
    known = {node.name for node in inventory.nodes}
    if gone := [name for name in changed if name not in known]:
        session.ui.message(f"{compress(gone)}: changed by {record.id}, not in the inventory now")
    selected = [node for node in nodes if node.name in changed]
    if not selected:
        raise NothingToDoError(
            f"nothing to undo: {record.kind} {record.id} has changed none of these nodes, but"
            f" {compress(changed)}"
        )
    chosen = replace(options, undoes=record.id)
    request = undo_request(chosen, journal)
    return JobRequest(
        kind="undo",
        options=chosen,
        inventory=inventory,
        nodes=selected,
        survey=partial(survey_undo, selected, request=request),
    )


def changed_by(files: JournalFiles, rollout: str | None) -> tuple[RolloutRecord, list[str]]:
    """Return the record of a rollout and the nodes that have its change in force.

    Without an id, or with the word `last`, it is the newest rollout that changed something. Raise
    a NothingToDoError if there is none, or if it has changed nothing.
    """
    if not is_there(files.journal):
        raise FleetError(f"there is no journal {files.journal}, so there is no rollout to undo")
    journal = Journal(files.journal, read_only=True)
    named = rollout not in {None, LAST}
    records = [journal.rollout(rollout or "")] if named else journal.rollouts()
    for record in records:
        if changed := journal.replayed(record).nodes_in_force():
            _refuse_removal(record)
            return record, changed
        if named:
            message = f"nothing to undo: {record.kind} {record.id} has no change in force"
            raise NothingToDoError(message)
    raise NothingToDoError("nothing to undo: no rollout in the journal has a change in force")


def _refuse_removal(record: RolloutRecord) -> None:
    """Refuse to undo a removal: the nodes have no saved files any more."""
    if record.kind == "remove":
        raise FleetError(
            f"remove {record.id} has taken fleet off its nodes and cannot be undone; roll out again"
        )
