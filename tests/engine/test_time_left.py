"""The time left of a running rollout: measured by a clock, and counted down between events."""

from __future__ import annotations

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Event,
    GateDecided,
    NodeMoved,
    begin,
)
from fleet.core.rollout.time_left import WorkTimes
from fleet.engine.time_left import TimeLeft, nothing_known

BATCHES = (("a",), ("b",), ("c",))


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def left(clock: Clock, pause: float = 10) -> TimeLeft:
    return TimeLeft(begin(BATCHES, {}), Policy(pause=pause), WorkTimes("abc", 6), clock)


def test_the_gate_of_a_cluster_is_waited_for_after_each_restart(clock: Clock) -> None:
    time_left = TimeLeft(begin(BATCHES, {}), Policy(), WorkTimes("ab", 6, gate=34), clock)
    take(time_left, *(moved(node, NodeStatus.STAGED) for node in "abc"))
    take(time_left, BatchBegun(0), moved("a", NodeStatus.RUNNING))
    clock.now += 8
    take(time_left, moved("a", NodeStatus.CONVERGED))

    # 34 s after a and after b, 8 s of b, and 2 s of c, which does not restart.
    assert time_left.seconds() == pytest.approx(78)
    clock.now += 30
    assert time_left.seconds() == pytest.approx(48)
    clock.now += 4
    take(time_left, GateDecided(0, GateTime.AFTER, GateDecision()))
    take(time_left, BatchBegun(1), moved("b", NodeStatus.RUNNING))
    assert time_left.seconds() == pytest.approx(44)


def take(time_left: TimeLeft, *events: Event) -> None:
    time_left.take([(event, None) for event in events])


def moved(node: str, status: NodeStatus) -> Event:
    return NodeMoved(node, status)


def test_the_time_left_follows_the_events_and_the_clock(clock: Clock) -> None:
    time_left = left(clock)
    take(time_left, *(moved(node, NodeStatus.STAGING) for node in "abc"))
    clock.now += 1
    take(time_left, *(moved(node, NodeStatus.STAGED) for node in "abc"))
    take(time_left, BatchBegun(0), moved("a", NodeStatus.RUNNING))
    clock.now += 8
    assert time_left.seconds() is None

    take(time_left, moved("a", NodeStatus.CONVERGED))
    clock.now += 1.5
    time_left.pause()
    # A pause of 10 s and a recheck of 2 s, both twice, and two nodes of 8 s.
    assert time_left.seconds() == pytest.approx(40)
    clock.now += 0.5
    assert time_left.seconds() == pytest.approx(39.5)
    clock.now += 3.5
    assert time_left.seconds() == pytest.approx(36)
    clock.now += 6
    take(time_left, BatchSoaked(0), moved("a", NodeStatus.CHECKING))
    clock.now += 3
    assert time_left.seconds() == pytest.approx(8 + 10 + 2 + 8, abs=1)


def test_without_a_rollout_nothing_is_known() -> None:
    assert nothing_known() is None
