"""A new job: the one way in which rollouts, rollbacks and undos are planned and begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleet.actions.drains import Clusters, clusters_to_drain, refuse_unknown
from fleet.actions.job import Job, RolloutResult
from fleet.actions.journaling import JournalFiles, hold_journal, new_rollout_id
from fleet.actions.options import RolloutOptions
from fleet.actions.refusals import refuse_plan
from fleet.actions.session import Session
from fleet.actions.start_job import start_job
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.engine.survey import NodeSurvey


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """The request for a job: its kind, its options, its nodes, and the survey that plans them."""

    kind: str
    options: RolloutOptions
    inventory: Inventory
    nodes: Sequence[Node]
    survey: Callable[[Session], list[NodeSurvey]]
    config: MirrorConfig | None = None


def run_job(request: JobRequest, session: Session, journal: JournalFiles | None) -> RolloutResult:
    """Plan the nodes of a request, ask for consent, and carry the plans out."""
    request.options.validate()
    session = session.ready(request.nodes).reusing_connections()
    name = new_rollout_id()
    clusters = clusters_to_drain(request.options, request.nodes)
    with hold_journal(journal, request.kind, name, session.ui) as written:
        plans = _plan(request, session, clusters)
        job = Job(
            id=name,
            kind=request.kind,
            options=request.options,
            session=session,
            inventory=request.inventory,
            journal=written,
            plans={plan.node.name: plan for plan in plans},
            config=request.config,
            clusters=clusters,
        )
        return start_job(job)


def plan_job(request: JobRequest, session: Session) -> list[NodePlan]:
    """Return the plans that a request would carry out, changing nothing."""
    request.options.validate()
    return _plan(request, session, clusters_to_drain(request.options, request.nodes))


def _plan(request: JobRequest, session: Session, clusters: Clusters) -> list[NodePlan]:
    surveys = request.survey(session)
    plans = (refuse_plan(result.plan, request.options) for result in surveys)
    return refuse_unknown(plans, clusters, session.ui.message)
