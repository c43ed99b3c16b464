"""The rollback: it restores a saved generation on nodes, with the health gates of a rollout."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.actions.job import Job, RolloutResult, refuse_disruptive
from fleet.actions.journaling import JournalFiles, hold_journal, new_rollout_id
from fleet.actions.options import RolloutOptions
from fleet.actions.session import Session
from fleet.actions.start_job import start_job
from fleet.actions.survey import survey_rollback
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan


def rollback(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles | None,
) -> RolloutResult:
    """Restore on each node the generation that `options.to` names, or its newest generation."""
    options.validate()
    session = session.ready(nodes).reusing_connections()
    name = new_rollout_id()
    with hold_journal(journal, "rollback", name, session.ui) as written:
        plans = plan_rollback(nodes, options, session)
        job = Job(
            id=name,
            kind="rollback",
            options=options,
            session=session,
            inventory=inventory,
            journal=written,
            plans={plan.node.name: plan for plan in plans},
        )
        return start_job(job)


def plan_rollback(
    nodes: Sequence[Node], options: RolloutOptions, session: Session
) -> list[NodePlan]:
    """Return the plans that a rollback would carry out, changing nothing."""
    options.validate()
    surveys = survey_rollback(nodes, session, to=options.to)
    return [refuse_disruptive(result.plan, options) for result in surveys]
