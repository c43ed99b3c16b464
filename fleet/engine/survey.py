"""Read many nodes and plan each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from fleet.core.alike import Alike
from fleet.core.facts import NodeFacts
from fleet.core.model import Node
from fleet.core.outcome import Failure, NodeOutcome, NodeStatus
from fleet.core.plan import NodePlan
from fleet.core.quorum import assumed, availability
from fleet.core.rollback import plan_rollback
from fleet.core.strategies.base import Wishes
from fleet.engine.crew import Crew, each
from fleet.node.order import Access
from fleet.node.reading import ProbeOrder, VerifyOrder, probe, verify
from fleet.ssh import forget

_MOST_PULLS = 8
"""How many nodes pull at once: a mirror serves a fleet that is at work meanwhile."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What one node's survey came to: its facts where it answered, and its plan."""

    node: Node
    facts: NodeFacts | None
    plan: NodePlan


def survey(
    nodes: Sequence[Node],
    wishes: Callable[[Node], Wishes],
    access: Access,
    *,
    crew: Crew,
) -> Iterator[Surveyed]:
    """Probe nodes and plan each of them; yield them as they answer."""
    orders = (ProbeOrder(node, access, wishes(node).full_default) for node in nodes)
    alike = Alike()
    for order, facts in each(probe, orders, crew):
        if isinstance(facts, Failure):
            yield _unanswered(order.node, facts)
        else:
            found = Surveyed(order.node, *alike.plan(order.node, facts, wishes(order.node)))
            yield _through(found, access)


def survey_rollback(
    nodes: Sequence[Node], access: Access, *, to: str | None, crew: Crew
) -> Iterator[Surveyed]:
    """Probe nodes with their kept generations, and plan the way back."""
    orders = (ProbeOrder(node, access, walk=to or "latest") for node in nodes)
    for order, facts in each(probe, orders, crew):
        if isinstance(facts, Failure):
            yield _unanswered(order.node, facts)
        else:
            found = Surveyed(order.node, facts, plan_rollback(order.node, facts, to))
            yield _through(found, access)


def _unanswered(node: Node, failure: Failure) -> Surveyed:
    """Return the survey of a node that could not be read."""
    return Surveyed(node, None, NodePlan(node=node, failure=failure, availability=assumed(node)))


def _through(found: Surveyed, access: Access) -> Surveyed:
    """Note whether a node is available; close the connection of one that has no work to do."""
    if found.facts is not None:
        plan = replace(found.plan, availability=availability(found.facts))
        found = replace(found, plan=plan)
    if access.keep and settled(found.plan) is not None:
        forget(found.node, access.ssh)
    return found


def verify_all(orders: Sequence[VerifyOrder], *, crew: Crew) -> Iterator[NodeOutcome]:
    """Prove nodes as they are now."""
    for order, outcome in each(verify, orders, crew, most=_MOST_PULLS):
        if isinstance(outcome, Failure):
            name = order.plan.node.name
            yield NodeOutcome(node=name, status=NodeStatus.FAILED, failure=outcome)
        else:
            yield outcome


def settled(plan: NodePlan) -> NodeOutcome | None:
    """Return the outcome of a node that no batch will hold; None for one that has work to do."""
    if plan.failure is None and plan.changes:
        return None
    status = NodeStatus.UNCHANGED
    if plan.failure is not None:
        status = NodeStatus.UNREACHABLE if plan.failure.kind.unreachable else NodeStatus.FAILED
    return NodeOutcome(
        node=plan.node.name,
        status=status,
        strategy=plan.strategy,
        containerd=plan.containerd,
        failure=plan.failure,
    )
