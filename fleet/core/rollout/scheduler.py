"""The scheduler, which chooses the next move after each event.

The cost of an event does not grow with the number of nodes.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.max_unavailable import ConcurrencyLimits
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.ready_queue import LimitedQueue
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    ChangingState,
    Check,
    Event,
    Finish,
    GateDecided,
    Halt,
    Launch,
    Move,
    NodeMoved,
    Revert,
    RolloutState,
    Soak,
    Stage,
    Wait,
)
from fleet.core.text.counts import counted

_IN_FLIGHT = tuple(status for status in NodeStatus if status.in_flight)


def next_move(state: RolloutState, policy: Policy) -> Move:
    """Return the next move of a rollout in this state; see Scheduler.next_move."""
    return Scheduler(state, policy).next_move()


class Scheduler:
    """A view of a rollout's changing state, with counters and queues, under one policy."""

    def __init__(self, state: RolloutState, policy: Policy) -> None:
        self._policy, self._batches = policy, state.batches
        self._state = ChangingState(state)
        self._excused = policy.excused_nodes | state.excused
        self._batch = {name: number for number, batch in enumerate(state.batches) for name in batch}
        self._place = {name: place for place, name in enumerate(self._batch)}
        self._limits = ConcurrencyLimits(policy, state.nodes)
        self._counts: Counter[NodeStatus] = Counter()
        self._planned_counts: Counter[NodeStatus] = Counter()
        self._batch_counts: list[Counter[NodeStatus]] = [Counter() for _ in state.batches]
        self._failures, self._degraded = len(state.flagged - self._excused), 0
        self._pending, self._revertible = LimitedQueue[str](), LimitedQueue[str]()
        self._staged = defaultdict[int, LimitedQueue[str]](LimitedQueue)
        self._unchecked = defaultdict[int, LimitedQueue[str]](LimitedQueue)
        self._current = LimitedQueue[int]()
        for name in state.nodes:
            self._enter_status(name)

    @property
    def state(self) -> RolloutState:
        """Return the state after the events so far."""
        return self._state.state

    @property
    def begun(self) -> int:
        """Return the number of the newest batch that was begun; -1 before the first."""
        return self._state.begun

    def advance(self, event: Event) -> None:
        """Apply one event to the state, and bring the counters and queues up to date."""
        if isinstance(event, NodeMoved):
            self._leave_status(event.node)
        elif isinstance(event, GateDecided):
            self._excused |= event.decision.excused
            flagged = event.decision.flagged.keys() - self._state.flagged
            self._failures += len(flagged - self._excused)
        first = self._state.begun + 1
        self._state.apply(event)
        match event:
            case BatchBegun():
                self._queue_reverts(first)
            case BatchSoaked(batch):
                if 0 <= batch < len(self._batches):
                    self._queue_batch(batch)
            case NodeMoved(node):
                self._enter_status(node)
            case GateDecided():
                pass

    def _queue_reverts(self, first: int) -> None:
        """Queue the nodes of the batches that were begun, from `first` on."""
        for names in self._batches[first : self._state.begun + 1]:
            for name in names:
                self._queue_revert(name)

    def _enter_status(self, name: str) -> None:
        status = self._state.nodes[name]
        self._count_node(name, status, 1)
        if (batch := self._batch.get(name)) is None:
            return
        place, limits = self._place[name], self._limits
        if status is NodeStatus.PENDING:
            self._pending.join(name, place)
        elif status is NodeStatus.STAGED:
            self._staged[batch].join(name, place, limits.launching(name))
        elif status is NodeStatus.CONVERGED:
            if name not in self._state.checked:
                self._unchecked[batch].join(name, place, limits.checking(name))
            self._queue_revert(name)
        self._queue_batch(batch)

    def _leave_status(self, name: str) -> None:
        if (status := self._state.nodes.get(name)) is None:
            return
        self._count_node(name, status, -1)
        if (batch := self._batch.get(name)) is None:
            return
        for queue in (self._pending, self._staged[batch], self._unchecked[batch], self._revertible):
            queue.leave(name)
        self._queue_batch(batch)

    def _count_node(self, name: str, status: NodeStatus, sign: int) -> None:
        self._counts[status] += sign
        self._limits.count(name, status, sign, checked=name in self._state.checked)
        if status.failed and name not in self._excused and name not in self._state.reverted:
            self._failures += sign
        if status is NodeStatus.DEGRADED and name not in self._excused:
            self._degraded += sign
        if (batch := self._batch.get(name)) is not None:
            self._planned_counts[status] += sign
            self._batch_counts[batch][status] += sign

    def _queue_revert(self, name: str) -> None:
        """Queue a node whose change may be reverted, the newest first."""
        converged = self._state.nodes.get(name) is NodeStatus.CONVERGED
        if (
            converged
            and name not in self._state.reverted
            and self._batch[name] <= self._state.begun
        ):
            self._revertible.join(name, -self._place[name], self._limits.reverting(name))

    def _queue_batch(self, batch: int) -> None:
        """Queue a batch that is not finished, or whose pause or recheck is still to come."""
        counts = self._batch_counts[batch]
        unproven = counts[NodeStatus.CONVERGED] and batch not in self._state.soaked
        unchecked = counts[NodeStatus.CHECKING] or unproven or len(self._unchecked[batch])
        if self.is_unfinished(batch) or (self._policy.pause and unchecked):
            self._current.join(batch, batch)
        else:
            self._current.leave(batch)

    def is_unfinished(self, batch: int) -> bool:
        """Return whether nodes of a batch wait for their activation, or are being activated."""
        counts = self._batch_counts[batch]
        return bool(counts[NodeStatus.STAGED] or counts[NodeStatus.RUNNING])

    def next_move(self) -> Move:
        """Return the next move; a batch starts only when the previous one is finished."""
        in_flight = sum(self._counts[status] for status in _IN_FLIGHT)
        room = self._policy.parallel - in_flight
        if not self._is_over():
            return self._choose_move(in_flight, room)
        if in_flight > self._counts[NodeStatus.REVERTING]:
            return Wait()
        ready = self._to_revert(room, self._limits.free)
        if ready and not self._degraded:
            return Revert(ready)
        return Wait() if in_flight else Halt(self._halt_reason())

    def _choose_move(self, in_flight: int, room: int) -> Move:
        if self._planned_counts[NodeStatus.PENDING]:
            return Stage(self._pending.first(room)) if room > 0 else Wait()
        if self._planned_counts[NodeStatus.STAGING]:
            return Wait()
        if not self._planned_counts[NodeStatus.STAGED]:
            return Wait() if in_flight else Finish()
        (number,) = self._current.first(1)
        if not self.is_unfinished(number):
            return self._finishing_move(number, room)
        ready = self._staged[number].first(room, self._limits.to_launch())
        if ready:
            return Launch(ready, number)
        return Wait() if in_flight else self._blocked_move(number, room)

    def _blocked_move(self, number: int, room: int) -> Move:
        """Return the move if only control plane nodes wait and their limit is exhausted.

        A batch with several of them is paused once, and then rechecked node by node.
        """
        if self._limits.unproven:
            batch = min(self._batch.get(name, number) for name in self._limits.unproven)
            if batch not in self._state.soaked:
                return Soak(batch)
            if due := self._unchecked[batch].first(room, self._limits.free):
                return Check(due)
        names = self._batches[number]
        waiting = tuple(name for name in names if self._state.nodes[name] is NodeStatus.STAGED)
        if reason := self._limits.held_back(waiting):
            return Halt(reason)
        return Halt(self._policy.control_plane.reason(waiting, self._state.nodes), waiting)

    def _finishing_move(self, number: int, room: int) -> Move:
        """Return the pause or recheck that a finished batch needs before the next one may start."""
        if self._batch_counts[number][NodeStatus.CONVERGED] and number not in self._state.soaked:
            return Soak(number)
        free = self._limits.free
        due = self._unchecked[number].first(room, free) if number in self._state.soaked else ()
        return Check(due) if due else Wait()

    def _is_over(self) -> bool:
        """Return whether no further node may start: a node is degraded, or the budget is spent."""
        return bool(self._degraded) or self._failures > self._policy.max_failures

    def _to_revert(self, room: int, free: list[int] | None) -> tuple[str, ...]:
        """Return the nodes to revert once the budget is spent, the newest first."""
        if self._policy.on_failure is OnFailure.HALT:
            return ()
        ready = self._revertible.first(room, free)
        if self._policy.on_failure is OnFailure.ROLLBACK_ALL:
            return ready
        return tuple(name for name in ready if self._batch[name] == self._state.begun)

    def _halt_reason(self) -> str:
        degraded = [
            name for name, status in self._state.nodes.items() if status is NodeStatus.DEGRADED
        ]
        if degraded:
            return f"degraded, manual repair needed: {', '.join(degraded)}"
        failed = counted(self._failures, "node")
        flagged = ", ".join(sorted(self._state.flagged))
        gated = f" ({flagged}: at a gate after the change)" if flagged else ""
        failures = f"{failed} failed{gated}, --max-failures allows {self._policy.max_failures}"
        if reverting := self._to_revert(len(self._state.nodes), None):
            return f"{failures}; {self._policy.control_plane.reason(reverting, self._state.nodes)}"
        return failures
