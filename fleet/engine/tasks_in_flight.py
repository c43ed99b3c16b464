"""Tasks in flight: work on nodes in the worker pool, its deadlines, and its results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.engine.suspension import SuspensionClock
from fleet.engine.workers.base import WorkerPool, lost_worker_failure
from fleet.node.work_order import WorkOrder

Work = Callable[[WorkOrder], NodeOutcome]


_SETTLE_REMEDY = "run `fleet resume`, which reads the state of the change from the node"
_STUCK = Failure(
    FailureKind.TIMEOUT, Step.SETTLE, "the work on the node did not end in time", _SETTLE_REMEDY
)


_CHECK_SECONDS = 1
"""Seconds between two checks for overdue tasks."""


@dataclass(slots=True)
class Task:
    """One piece of work on a node; its timeout of `seconds` starts when a worker begins it."""

    node: str
    status: NodeStatus
    seconds: float
    began: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class EndedTask:
    """A task with its result; `lost` if its worker died, `stuck` if it was abandoned."""

    task: Task
    result: NodeOutcome | Failure
    lost: bool = False
    stuck: bool = False


class Tasks:
    """The tasks in flight of one rollout."""

    def __init__(self, pool: WorkerPool, clock: SuspensionClock) -> None:
        self._pool, self._clock = pool, clock
        self._running: dict[Future[NodeOutcome | Failure], Task] = {}
        self._ended: SimpleQueue[Future[NodeOutcome | Failure]] = SimpleQueue()
        self._checked_at = 0.0

    def __len__(self) -> int:
        """Return how many tasks are in flight."""
        return len(self._running)

    def submit(self, work: Work, order: WorkOrder, task: Task) -> None:
        """Submit a task to the worker pool."""
        self.add(self._pool.submit(work, order), task)

    def add(self, future: Future[NodeOutcome | Failure], task: Task) -> None:
        """Add a task that was submitted."""
        self._running[future] = task
        future.add_done_callback(self._ended.put)

    def collect(self) -> Iterator[EndedTask]:
        """Wait up to a second for the first task to end; yield all tasks that have ended."""
        began = self._clock.now()
        try:
            first = self._ended.get(timeout=_CHECK_SECONDS)
            self._clock.waited(began, _CHECK_SECONDS)
            yield from self._end(first)
            while True:
                yield from self._end(self._ended.get_nowait())
        except Empty:
            self._clock.waited(began, _CHECK_SECONDS)
        if (now := time.monotonic()) - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
            yield from self._abandon_overdue(now)

    def _end(self, future: Future[NodeOutcome | Failure]) -> Iterator[EndedTask]:
        task = self._running.pop(future, None)
        if task is not None:  # if it is None, the task was abandoned earlier
            lost = lost_worker_failure(future)
            yield EndedTask(task, lost or future.result(), lost=lost is not None)

    def _abandon_overdue(self, now: float) -> Iterator[EndedTask]:
        """Abandon tasks that have exceeded their deadlines, and yield them."""
        for future, task in list(self._running.items()):
            if task.until is None and future.running():
                task.until = now + task.seconds
            elif task.until is not None and task.until < now:
                del self._running[future]
                yield EndedTask(task, _STUCK, stuck=True)


def failed_outcome(task: Task, failure: Failure) -> NodeOutcome:
    """Return the outcome of a node whose worker failed; in staging the node is unchanged."""
    if task.status is NodeStatus.STAGING:
        staging_failure = replace(failure, step=Step.STAGE)
        return NodeOutcome(
            node=task.node, status=NodeStatus.FAILED, failure=staging_failure, held=True
        )
    if failure.kind is FailureKind.WORKER:
        failure = replace(failure, step=Step.SETTLE, remedy=_SETTLE_REMEDY)
    status = NodeStatus.UNREACHABLE if failure.step is Step.SETTLE else NodeStatus.DEGRADED
    return NodeOutcome(node=task.node, status=status, failure=failure, held=True)
