"""Locks that a rollout left on nodes: its end, its resume or the next rollout releases them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from fleet.core.outcome import Failure, NodeOutcome
from fleet.core.plan import NodePlan
from fleet.engine.crew import Crew, each
from fleet.journal import Journal
from fleet.node.order import WorkOrder
from fleet.node.stage import release_once


def release_held(
    outcomes: Mapping[str, NodeOutcome], order_of: Callable[[str], WorkOrder], crew: Crew
) -> Iterator[NodeOutcome]:
    """Try again to release nodes that were unreachable; yield the outcomes of those released."""
    names = [
        name
        for name, outcome in outcomes.items()
        if outcome.held and not (outcome.failure and outcome.failure.step == "release")
    ]
    for order, ended in each(release_once, map(order_of, names), crew):
        if not still_held(ended):
            yield replace(outcomes[order.node.name], held=False)


def still_held(ended: NodeOutcome | Failure) -> bool:
    """Return whether a release has left the lock in place, as far as is known."""
    return isinstance(ended, Failure) or ended.held


def release_finished(
    plans: Iterable[NodePlan],
    journal: Journal,
    order_of: Callable[[NodePlan, str], WorkOrder],
    crew: Crew,
) -> Iterator[tuple[str, str]]:
    """Release nodes that a finished rollout of this journal still holds; yield node and rollout.

    A node with an unconfirmed change is left to its guard, or to `fleet resume`.
    """
    free = [plan for plan in plans if not plan.availability.pending]
    holders = {plan.availability.holder for plan in free} - {""}
    over = {rollout for rollout in holders if _over(journal, rollout)}
    orders = [order_of(p, p.availability.holder) for p in free if p.availability.holder in over]
    for order, ended in each(release_once, orders, crew):
        if not still_held(ended):
            yield order.node.name, order.rollout


def _over(journal: Journal, rollout: str) -> bool:
    """Return whether this journal holds the rollout and the rollout has ended."""
    if not journal.knows(rollout):
        return False
    return journal.replayed(journal.rollout(rollout)).status != "interrupted"
