"""The rollback: it restores a saved generation on nodes, with the health gates of a rollout."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.new_job import JobRequest, plan_job, run_job
from fleet.actions.options import RolloutOptions
from fleet.actions.session import Session
from fleet.actions.survey import survey_saved
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.registry_names import refuse_unknown_registry
from fleet.core.plan.undo_request import UndoRequest
from fleet.engine.survey import NodeSurvey
from fleet.journal import Journal, is_there


def rollback(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles | None,
) -> RolloutResult:
    """Undo each node's own last change, or everything since and including `options.to`."""
    return run_job(_request(inventory, nodes, options, journal), session, journal)


def plan_rollback(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles | None,
) -> list[NodePlan]:
    """Return the plans that a rollback would carry out, changing nothing."""
    return plan_job(_request(inventory, nodes, options, journal), session)


def _request(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    journal: JournalFiles | None,
) -> JobRequest:
    request = undo_request(options, journal)
    return JobRequest(
        kind="rollback",
        options=options,
        inventory=inventory,
        nodes=nodes,
        survey=partial(survey_undo, nodes, request=request),
    )


def survey_undo(nodes: Sequence[Node], session: Session, request: UndoRequest) -> list[NodeSurvey]:
    """Probe and plan nodes; raise a FleetError if none has ever had the registry to undo.

    A node that was not read, or whose plan failed, may have had it.
    """
    surveys = survey_saved(nodes, session, request)
    idle = all(not result.plan.changes and result.plan.failure is None for result in surveys)
    if request.registry is not None and idle:
        read = (result.facts for result in surveys)
        refuse_unknown_registry(request.registry, (facts for facts in read if facts is not None))
    return surveys


def undo_request(options: RolloutOptions, journal: JournalFiles | None) -> UndoRequest:
    """Return what the options of a rollback or an undo ask to revert on each node."""
    return UndoRequest(
        to=options.to,
        only=options.undoes,
        with_later=options.with_later,
        registry=options.registry_name,
        messages=_messages(journal),
    )


def _messages(files: JournalFiles | None) -> dict[str, str]:
    """Return the messages that the users gave for the rollouts of a journal, by their ids."""
    if files is None or not is_there(files.journal):
        return {}
    records = Journal(files.journal, read_only=True).rollouts()
    flags = {record.id: record.about.get("flags", {}) for record in records}
    return {name: given["message"] for name, given in flags.items() if given.get("message")}
