"""A fleet that was stopped itself says so, and blames neither the network nor the guard."""

from __future__ import annotations

import pytest

from fleet.core.outcome import Failure, FailureKind, NodeOutcome, NodeStatus
from fleet.engine.stops import Stops

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
    stops = Stops(lambda: clock[0])
    clock[0] += took
    stops.waited(10.0, 1)
    failure = Failure(kind, "run", "no answer; look at the network")
    ended = NodeOutcome(node="a", status=NodeStatus.UNREACHABLE, failure=failure)

    named = stops.explain(ended, began)

    assert named.failure is not None
    words = "fleet itself did not run for 94 s (SIGSTOP, or a machine that slept), so this"
    assert named.failure.message.startswith(words) is told
    assert named.failure.message.endswith("; look at the network")
