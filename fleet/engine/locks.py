"""The last try to release locks that nodes still have at the end of a rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from fleet.core.failure import Failure, Step
from fleet.core.model.outcome import NodeOutcome
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.node.stage import release_once
from fleet.node.work_order import WorkOrder


def release_held(
    outcomes: Mapping[str, NodeOutcome], order_of: Callable[[str], WorkOrder], pool: WorkerPool
) -> Iterator[NodeOutcome]:
    """Try again to release nodes that were unreachable; yield the outcomes of those released."""
    names = [
        name
        for name, outcome in outcomes.items()
        if outcome.held and not (outcome.failure and outcome.failure.step is Step.RELEASE)
    ]
    for order, result in map_nodes(release_once, map(order_of, names), pool):
        if not still_held(result):
            yield replace(outcomes[order.node.name], held=False)


def still_held(ended: NodeOutcome | Failure) -> bool:
    """Return whether a release has left the lock in place, as far as is known."""
    return isinstance(ended, Failure) or ended.held
