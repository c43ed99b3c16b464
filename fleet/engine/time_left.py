"""The time that a running rollout still needs, from its events."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable

from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    ChangingState,
    Event,
    GateDecided,
    NodeMoved,
    RolloutState,
)
from fleet.core.rollout.time_left import WorkTimes, simulate

_LEAST = 1.0
"""The least time between two simulations, in seconds."""


_SHARE = 20
"""A simulation that took a second is not repeated for this many seconds."""


class TimeLeft:
    """The remaining time of a rollout. One thread reports its events, any thread asks."""

    def __init__(
        self,
        state: RolloutState,
        policy: Policy,
        times: WorkTimes,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state, self._policy, self._times, self._now = ChangingState(state), policy, times, now
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._paused: float | None = None
        self._restarted = -math.inf
        self._answer: float | None = None
        self._answered = self._next = float("-inf")

    def take(self, events: Iterable[tuple[Event, NodeOutcome | None]]) -> None:
        """Take events: starts and ends of work, and of batches and pauses."""
        with self._lock:
            for event, _ in events:
                self._take(event)
                self._state.apply(event)

    def _take(self, event: Event) -> None:
        match event:
            case NodeMoved(node, status) if status.in_flight:
                self._began[node] = self._now()
            case NodeMoved(node, status) if (began := self._began.pop(node, None)) is not None:
                before = self._state.nodes[node]
                self._times.measured(node, before, self._now() - began, status)
                if before is NodeStatus.RUNNING and node in self._times.restarting:
                    self._restarted = self._now()
                self._next = min(self._next, self._answered + _LEAST)
            case BatchSoaked():
                self._paused = None
            case NodeMoved() | BatchBegun() | GateDecided():
                pass

    def pause(self) -> None:
        """Take the start of the pause after a batch."""
        with self._lock:
            self._paused = self._now()

    def seconds(self) -> float | None:
        """Return the remaining seconds; None before the first node has converged."""
        with self._lock:
            now = self._now()
            if now < self._next:
                return self._counted_down(now)
            snapshot = self._state.state
            ages = {node: now - began for node, began in self._began.items()}
            paused = 0.0 if self._paused is None else now - self._paused
            restarted = now - self._restarted
        began = time.perf_counter()
        answer = simulate(snapshot, self._policy, self._times, ages, paused, restarted)
        cost = time.perf_counter() - began
        with self._lock:
            self._answer, self._answered = answer, now
            self._next = now + max(_LEAST, _SHARE * cost)
            return answer

    def _counted_down(self, now: float) -> float | None:
        return None if self._answer is None else max(0.0, self._answer - (now - self._answered))


def nothing_known() -> float | None:
    """Return no estimate."""
    return None
