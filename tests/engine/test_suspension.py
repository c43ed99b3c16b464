"""A fleet that was stopped itself says so, and blames neither the network nor the guard."""

from __future__ import annotations

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.engine.suspension import SuspensionClock
from fleet.engine.workers.base import ThreadPool, map_nodes
from tests.engine.workers.test_base import Errand, errand

CASES = {
    "stopped while a connection was open": (FailureKind.TIMEOUT, 5.0, 95.0, True),
    "stopped while the guard ran": (FailureKind.GUARD, 5.0, 95.0, True),
    "late, on a busy machine": (FailureKind.TIMEOUT, 5.0, 9.0, False),
    "stopped before the work began": (FailureKind.TIMEOUT, 200.0, 95.0, False),
    "a cause of its own": (FailureKind.HEALTH, 5.0, 95.0, False),
}


@pytest.mark.parametrize(("kind", "began", "took", "told"), CASES.values(), ids=CASES)
def test_a_stop_in_the_middle_is_named(
    kind: FailureKind, began: float, took: float, told: bool
) -> None:
    clock = [10.0]
    stops = SuspensionClock(lambda: clock[0])
    clock[0] += took
    stops.waited(10.0, 1)
    failure = Failure(kind, Step.RUN, "no answer", "look at the network")
    ended = NodeOutcome(node="a", status=NodeStatus.UNREACHABLE, failure=failure)

    named = stops.explain(ended, began)

    alone = stops.explain(failure, began)

    assert named.failure == alone
    assert named.failure is not None
    words = "fleet itself was suspended for 94 s (SIGSTOP or a sleeping machine), then"
    assert named.failure.message.startswith(words) is told
    assert named.failure.message.endswith("no answer")
    assert named.failure.remedy == "look at the network"


def test_facts_are_returned_as_they_are() -> None:
    stops = SuspensionClock(lambda: 99.0)
    stops.waited(0, 1)

    assert stops.explain("facts", 0) == "facts"


@pytest.mark.parametrize("where", ["while it waits", "while it plans"])
def test_a_stop_in_the_middle_of_a_survey_is_named(where: str) -> None:
    """A survey waits for its nodes and plans each of them in between; either may be stopped."""
    clock = [0.0]
    stops = SuspensionClock(lambda: clock[0])

    def work(order: Errand) -> Failure:
        if order.node.name == "late" and where == "while it waits":
            clock[0] += 95
        return Failure(FailureKind.TIMEOUT, Step.RUN, "no answer", "look at the network")

    pool, told = ThreadPool(1), {}
    orders = [errand("first"), errand("late")]
    for order, failure in map_nodes(work, orders, pool, most=1, clock=stops):
        told[order.node.name] = failure.message
        if order.node.name == "first" and where == "while it plans":
            clock[0] += 95
    pool.close()

    assert told["first"] == "no answer"
    assert told["late"].startswith("fleet itself was suspended for 9")
