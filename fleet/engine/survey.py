"""The survey: a probe of many nodes, and a plan for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from fleet.core.failure import Failure
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus, unworked_status
from fleet.core.plan.cache import PlanCache, refuse_unshown
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.removal import RemovalRequest, plan_removal
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from fleet.core.render.base import DesiredConfig
from fleet.core.rollout.control_plane import assumed, availability
from fleet.engine.bugs import isolate_bugs
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.verify.run import VerifyOrder, verify
from fleet.node.work_order import Access
from fleet.ssh import close_pooled

_Result = TypeVar("_Result")
_MOST_PULLS = 8
"""The most nodes that pull at the same time: the mirrors also serve the cluster's own pulls."""


@dataclass(frozen=True, slots=True)
class NodeSurvey:
    """The survey of one node: its facts if it answered, and its plan."""

    node: Node
    facts: NodeFacts | None
    plan: NodePlan


def survey(
    nodes: Sequence[Node],
    desired: Callable[[Node], DesiredConfig],
    access: Access,
    *,
    pool: WorkerPool,
    cache: PlanCache | None = None,
) -> Iterator[NodeSurvey]:
    """Probe nodes and plan each of them; yield surveys as the nodes answer."""
    orders = (ProbeOrder(node, access, desired(node).full_default) for node in nodes)
    cache = cache or PlanCache()
    for order, facts in map_nodes(probe, orders, pool):
        if isinstance(facts, Failure):
            yield _unread(order.node, facts)
        else:
            yield _finish(_planned(order.node, facts, cache, desired), access)


def survey_saved(
    nodes: Sequence[Node],
    access: Access,
    request: UndoRequest | RemovalRequest,
    *,
    pool: WorkerPool,
) -> Iterator[NodeSurvey]:
    """Probe nodes with their saved generations, and plan what a request undoes or removes."""
    orders = (ProbeOrder(node, access, walk=request.walk) for node in nodes)
    for order, facts in map_nodes(probe, orders, pool):
        if isinstance(facts, Failure):
            yield _unread(order.node, facts)
        else:
            plan = isolate_bugs(partial(_plan_saved, order.node, facts, request), order.node.name)
            yield _finish(NodeSurvey(order.node, facts, _as_plan(order.node, plan)), access)


def _planned(
    node: Node, facts: NodeFacts, cache: PlanCache, desired: Callable[[Node], DesiredConfig]
) -> NodeSurvey:
    """Plan one node; an error in planning is the failure of this node only."""
    planned = isolate_bugs(lambda: cache.plan(node, facts, desired(node)), node.name)
    if isinstance(planned, Failure):
        return NodeSurvey(node, facts, _as_plan(node, planned))
    return NodeSurvey(node, *planned)


def _plan_saved(node: Node, facts: NodeFacts, request: UndoRequest | RemovalRequest) -> NodePlan:
    if isinstance(request, RemovalRequest):
        plan = plan_removal(node, facts, request)
    else:
        plan = plan_rollback(node, facts, request)
    refuse_unshown(plan)
    return plan


def examine(
    surveyed: NodeSurvey, work: Callable[[NodeFacts, NodePlan], _Result]
) -> tuple[NodeSurvey, _Result | None]:
    """Call `work` on a survey; if that fails, return the node as unread, with the failure."""
    if surveyed.facts is None:
        return surveyed, None
    result = isolate_bugs(partial(work, surveyed.facts, surveyed.plan), surveyed.node.name)
    if isinstance(result, Failure):
        return NodeSurvey(surveyed.node, None, _as_plan(surveyed.node, result)), None
    return surveyed, result


def _as_plan(node: Node, plan: NodePlan | Failure) -> NodePlan:
    return NodePlan(node=node, failure=plan) if isinstance(plan, Failure) else plan


def _unread(node: Node, failure: Failure) -> NodeSurvey:
    """Return the survey of a node that could not be read."""
    return NodeSurvey(node, None, NodePlan(node=node, failure=failure, availability=assumed(node)))


def _finish(surveyed: NodeSurvey, access: Access) -> NodeSurvey:
    """Set a node's availability; close its connection if it has no work to do."""
    if surveyed.facts is not None:
        role = isolate_bugs(partial(availability, surveyed.facts), surveyed.node.name)
        known = assumed(surveyed.node) if isinstance(role, Failure) else role
        target = surveyed.plan.rollback
        known = replace(known, ends_unhealthy=target is not None and bool(target.unhealthy))
        surveyed = replace(surveyed, plan=replace(surveyed.plan, availability=known))
    if access.reuse_connection and already_done(surveyed.plan) is not None:
        close_pooled(surveyed.node, access.ssh)
    return surveyed


def verify_all(orders: Sequence[VerifyOrder], *, pool: WorkerPool) -> Iterator[NodeOutcome]:
    """Verify nodes as they are now; yield outcomes as they come."""
    for order, outcome in map_nodes(verify, orders, pool, most=_MOST_PULLS):
        if isinstance(outcome, Failure):
            name = order.plan.node.name
            yield NodeOutcome(node=name, status=NodeStatus.FAILED, failure=outcome)
        else:
            yield outcome


def already_done(plan: NodePlan) -> NodeOutcome | None:
    """Return the outcome of a node that needs no batch; None if the node has work to do."""
    if plan.failure is None and plan.has_work:
        return None
    status = NodeStatus.UNCHANGED
    if plan.failure is not None:
        status = unworked_status(plan.failure.kind)
    return NodeOutcome(
        node=plan.node.name,
        status=status,
        strategy=plan.strategy,
        containerd=plan.containerd,
        failure=plan.failure,
        unhealthy="" if plan.failure else plan.unhealthy,
    )
