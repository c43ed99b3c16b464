"""The estimate of the time left, against rollouts that are played with times of their own."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import Limit, cut_batches, parse_batches
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.scheduler import Scheduler
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Check,
    Finish,
    Launch,
    NodeMoved,
    Soak,
    Stage,
    begin,
)
from fleet.core.rollout.time_left import WorkTimes, simulate

ENDS = {
    NodeStatus.STAGING: NodeStatus.STAGED,
    NodeStatus.RUNNING: NodeStatus.CONVERGED,
    NodeStatus.CHECKING: NodeStatus.CONVERGED,
}


@dataclass
class Played:
    """A rollout with random times; `estimates` holds each moment and what was expected then."""

    nodes: int
    batch: str
    policy: Policy
    soak: float = 6
    spread: float = 0.2
    seed: int = 1
    restarting: frozenset[str] = frozenset()
    estimates: list[tuple[float, float | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"w{number}" for number in range(self.nodes)]
        self._dice = random.Random(self.seed)
        self._restarting = self.restarting or frozenset(names)
        self._times = WorkTimes(self._restarting, self.soak)
        state = begin(cut_batches(names, parse_batches(self.batch)), {})
        self._scheduler = Scheduler(state, self.policy)
        self._clock, self._flying, self._began = 0.0, [], {}  # type: ignore[var-annotated]

    def seconds(self, node: str, status: NodeStatus) -> float:
        """Throw the dice for the time of work on a node."""
        base = {NodeStatus.STAGING: 1.5, NodeStatus.RUNNING: 3.5, NodeStatus.CHECKING: 1.2}[status]
        time = base * (1 + self._dice.uniform(-self.spread, 2 * self.spread))
        soaks = status is NodeStatus.RUNNING and node in self._restarting
        return time + (self.soak if soaks else 0)

    def run(self) -> float:
        """Play the rollout to its end; return the time that it took."""
        while not isinstance(move := self._scheduler.next_move(), Finish):
            match move:
                case Stage(nodes):
                    self._start(nodes, NodeStatus.STAGING)
                case Launch(nodes, batch):
                    self._scheduler.advance(BatchBegun(batch))
                    self._start(nodes, NodeStatus.RUNNING)
                case Check(nodes):
                    self._start(nodes, NodeStatus.CHECKING)
                case Soak(batch):
                    for part in (0.0, 0.5):
                        self._estimate(paused=part * self.policy.pause)
                        self._clock += self.policy.pause / 2
                    self._scheduler.advance(BatchSoaked(batch))
                case _:
                    self._land()
        return self._clock

    def _start(self, nodes: tuple[str, ...], status: NodeStatus) -> None:
        for node in nodes:
            self._scheduler.advance(NodeMoved(node, status))
            self._began[node] = self._clock
            heapq.heappush(self._flying, (self._clock + self.seconds(node, status), node, status))

    def _land(self) -> None:
        at, node, status = heapq.heappop(self._flying)
        self._clock = max(self._clock, at)
        self._scheduler.advance(NodeMoved(node, ENDS[status]))
        self._times.measured(node, status, self._clock - self._began.pop(node), ENDS[status])
        self._estimate()

    def _estimate(self, paused: float = 0) -> None:
        ages = {node: self._clock - at for node, at in self._began.items()}
        left = simulate(self._scheduler.state, self.policy, self._times, ages, paused)
        self.estimates.append((self._clock, left))


PLAYS = {
    "growing batches": Played(60, "1,25%", Policy(parallel=32)),
    "growing batches with a pause": Played(60, "1,25%", Policy(parallel=32, pause=20)),
    "three sizes": Played(100, "1,5%,25%", Policy(parallel=32, pause=5)),
    "one by one": Played(12, "1", Policy(parallel=32), spread=0.1),
    "more nodes than workers": Played(80, "1,50%", Policy(parallel=8)),
    "a limit of a group": Played(
        40, "1,20", Policy(parallel=32, limits=(Limit(frozenset(f"w{n}" for n in range(40)), 3),))
    ),
    "a long soak": Played(30, "1,25%", Policy(parallel=32), soak=60),
    "few restarts": Played(
        80, "1,25%", Policy(parallel=32), restarting=frozenset({"w0", "w9", "w40", "w70"})
    ),
}


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_the_estimate_is_within_a_quarter_of_the_truth(play: Played) -> None:
    total = play.run()

    known = [(at, left) for at, left in play.estimates if left is not None]
    wrong = [
        (round(at), round(total - at), round(left))
        for at, left in known
        if abs(left - (total - at)) > max(0.25 * (total - at), 3)
    ]
    staging = sum(left is None for _, left in play.estimates)
    assert staging == play.nodes  # nothing is known before the first node has converged
    assert len(known) >= play.nodes
    assert wrong == []


def test_nodes_of_very_different_speed_are_known_from_the_second_batch_on() -> None:
    play = Played(80, "1,25%", Policy(parallel=32, pause=5), spread=0.5, seed=7)
    total = play.run()

    later = [(at, left) for at, left in play.estimates if left is not None and at > total / 3]
    wrong = [
        (at, left) for at, left in later if abs(left - (total - at)) > max(0.25 * (total - at), 3)
    ]
    assert len(later) > 40
    assert wrong == []


def test_failures_teach_nothing_and_late_nodes_wait_for_slower_ones() -> None:
    times = WorkTimes(["a"], soak=6)
    times.measured("a", NodeStatus.RUNNING, 45, NodeStatus.ROLLED_BACK)
    assert times.expected("a", NodeStatus.RUNNING) is None

    times.measured("a", NodeStatus.RUNNING, 10, NodeStatus.CONVERGED)
    assert times.expected("a", NodeStatus.RUNNING) == 10
    assert times.expected("b", NodeStatus.RUNNING) == 4  # it does not restart, so it does not soak
    assert times.remaining("a", NodeStatus.RUNNING, 4) == 6
    assert times.remaining("a", NodeStatus.RUNNING, 20) == 4
    times.measured("a", NodeStatus.RUNNING, 25, NodeStatus.CONVERGED)
    assert times.remaining("a", NodeStatus.RUNNING, 20) == 5


def test_a_rollout_that_would_halt_ends_there() -> None:
    state = begin((("a",), ("b",)), {"x": NodeStatus.FAILED})

    assert simulate(state, Policy(), WorkTimes(), {}) == 0
