"""The estimate of a rollout's remaining time: its next moves are simulated with measured times."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from zlib import crc32

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.scheduler import Scheduler
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Check,
    Finish,
    Halt,
    Launch,
    NodeMoved,
    Revert,
    RolloutState,
    Soak,
    Stage,
    Wait,
)

_MEASURED = 64
"""The newest times of each kind of work that count: larger batches may take longer."""


_RECHECK = 2.0
"""Seconds of a recheck before one was measured: a connection and the health gates."""


_ENDS = {
    NodeStatus.STAGING: NodeStatus.STAGED,
    NodeStatus.RUNNING: NodeStatus.CONVERGED,
    NodeStatus.CHECKING: NodeStatus.CONVERGED,
    NodeStatus.REVERTING: NodeStatus.ROLLED_BACK,
}
"""The expected end of each kind of work."""


class WorkTimes:
    """The measured times of the work on nodes; `restarting` nodes also soak for `soak` seconds.

    `gate` is the time that must pass between a restart and the gate of a cluster after a batch.
    """

    def __init__(
        self, restarting: Iterable[str] = (), soak: float = 0, gate: float | None = None
    ) -> None:
        self.restarting, self._soak, self.gate = frozenset(restarting), soak, gate
        self._times: dict[tuple[NodeStatus, bool], deque[float]] = {}

    def measured(self, node: str, status: NodeStatus, seconds: float, end: NodeStatus) -> None:
        """Record the time of work that ended as expected; failures take another time."""
        if end is _ENDS.get(status):
            self._of(status, node in self.restarting).append(seconds)

    def expected(self, node: str, status: NodeStatus) -> float | None:
        """Return the expected time of work on a node; None if nothing like it was measured."""
        restarts = node in self.restarting
        if times := self._of(status, restarts):
            return times[crc32(node.encode()) % len(times)]
        if status is NodeStatus.CHECKING:
            return _RECHECK
        if status is NodeStatus.REVERTING:
            return self.expected(node, NodeStatus.RUNNING)
        if times := self._of(status, not restarts):
            soak = self._soak if status is NodeStatus.RUNNING else 0
            return max(0.5, fmean(times) + (soak if restarts else -soak))
        return None

    def remaining(self, node: str, status: NodeStatus, elapsed: float) -> float | None:
        """Return the expected rest of work in flight; late work takes as long as slower nodes."""
        expected = self.expected(node, status)
        if expected is None or expected > elapsed:
            return None if expected is None else expected - elapsed
        later = [time for time in self._of(status, node in self.restarting) if time > elapsed]
        return (min(later) - elapsed) if later else max(0.5, elapsed / 5)

    def _of(self, status: NodeStatus, restarts: bool) -> deque[float]:
        return self._times.setdefault((status, restarts), deque(maxlen=_MEASURED))


class _UnknownTimeError(Exception):
    """Ends a simulation that needs a time which nothing tells."""


@dataclass(slots=True)
class _Simulation:
    """A rollout that is played to its end with expected times; `clock` is its time in seconds.

    `pause` is the time until the next pause ends, `pauses` that of every later one. `restarted` is
    the time of the newest restart, `judged` are the batches whose gate was asked.
    """

    scheduler: Scheduler
    times: WorkTimes
    pause: float
    pauses: float
    restarted: float
    judged: set[int]
    clock: float = 0.0
    flying: list[tuple[float, str, NodeStatus]] = field(default_factory=list)

    def play(self) -> float:
        """Make all moves to the end; return the time of the end."""
        while not isinstance(move := self.scheduler.next_move(), Halt | Finish):
            match move:
                case Stage(nodes):
                    self._start(nodes, NodeStatus.STAGING)
                case Launch(nodes, batch):
                    self._ask_gate(batch - 1)
                    self.scheduler.advance(BatchBegun(batch))
                    self._start(nodes, NodeStatus.RUNNING)
                case Check(nodes):
                    self._start(nodes, NodeStatus.CHECKING)
                case Revert(nodes):
                    self._start(nodes, NodeStatus.REVERTING)
                case Soak(batch):
                    self._wait(batch)
                case Wait():
                    self._land()
        while self.flying:
            self._land()
        self._ask_gate(self.scheduler.begun)
        return self.clock

    def fly(self, node: str, status: NodeStatus, seconds: float | None) -> None:
        """Put work in flight for these seconds."""
        if seconds is None:
            raise _UnknownTimeError
        heapq.heappush(self.flying, (self.clock + seconds, node, status))

    def _start(self, nodes: Iterable[str], status: NodeStatus) -> None:
        for node in nodes:
            self.scheduler.advance(NodeMoved(node, status))
            self.fly(node, status, self.times.expected(node, status))

    def _wait(self, batch: int) -> None:
        self.clock += max(0.0, self.pause)
        self.pause = self.pauses
        self.scheduler.advance(BatchSoaked(batch))

    def _ask_gate(self, batch: int) -> None:
        """Go to the time at which the gate after a batch is asked, if there is one."""
        if self.times.gate is None or batch < 0 or batch in self.judged:
            return
        self.judged.add(batch)
        if not self.times.restarting.isdisjoint(self.scheduler.state.batches[batch]):
            self.clock = max(self.clock, self.restarted + self.times.gate)

    def _land(self) -> None:
        """Go to the end of the work that ends first."""
        at, node, status = heapq.heappop(self.flying)
        self.clock = max(self.clock, at)
        if status is NodeStatus.RUNNING and node in self.times.restarting:
            self.restarted = self.clock
        self.scheduler.advance(NodeMoved(node, _ENDS[status]))


def simulate(
    state: RolloutState,
    policy: Policy,
    times: WorkTimes,
    in_flight: Mapping[str, float],
    paused: float = 0,
    restarted: float = math.inf,
) -> float | None:
    """Return the seconds until the rollout ends if every node converges; None if unknown.

    `in_flight` holds the seconds for which each node has been worked on. `paused` is the time
    since the present pause began, `restarted` that since the work on the last node that restarts.
    """
    pause, judged = policy.pause, set(state.judged)
    scheduler = Scheduler(state, policy)
    simulation = _Simulation(scheduler, times, pause - paused, pause, -restarted, judged)
    try:
        for node, status in state.nodes.items():
            if status.in_flight:
                rest = times.remaining(node, status, in_flight.get(node, 0.0))
                simulation.fly(node, status, rest)
        return simulation.play()
    except _UnknownTimeError:
        return None
