"""The interface of worker pools, and the pool of threads."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.node import Node
from fleet.engine.bugs import bug, words_of
from fleet.engine.suspension import SuspensionClock
from fleet.ssh import close_all_pooled
from fleet.ssh.descriptors import max_busy_nodes


class HasNode(Protocol):
    """An order for the work on one node."""

    @property
    def node(self) -> Node:
        """Return the node; work on one node goes to the same worker if possible."""
        ...


_Order = TypeVar("_Order", bound=HasNode)


_Input = TypeVar("_Input")


_Result = TypeVar("_Result")


class LostWorkerError(Exception):
    """A worker that died during its work; only the node's state shows how far the work came."""


class WorkerPool(Protocol):
    """A pool of workers for nodes. It is unbounded: callers limit how much they submit.

    At most `parallel` nodes are read at once, and `most_changes` changed. `keeps_connections` is
    true if connections may stay open between tasks: later work on a node then goes to the same
    worker, and the worker ends with the pool.
    """

    parallel: int
    most_changes: int
    keeps_connections: bool

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Submit work on a node. A bug in the work becomes a Failure.

        If the worker dies, the future raises a LostWorkerError. The future is running from when a
        worker has begun the work.
        """
        ...

    def close(self) -> None:
        """Abandon the work that still runs, and end the workers."""
        ...


class ThreadPool:
    """A pool of threads in this process: the work mostly waits for the network."""

    keeps_connections = True

    def __init__(self, parallel: int) -> None:
        self.parallel, self.most_changes = parallel, min(64, max_busy_nodes())
        # The executor starts a thread if none is idle. As its limit is never reached, a thread
        # that never comes back does not take another one's place.
        self._pool = ThreadPoolExecutor(1 << 16, thread_name_prefix="node")

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Submit work on a node to a thread."""
        return self._pool.submit(run_in_pool, work, order)

    def close(self) -> None:
        """Abandon the work that still runs, and close the pooled connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        close_all_pooled()


def run_in_pool(work: Callable[[_Input], _Result], order: _Input) -> _Result | Failure:
    """Return the result of the work; an exception becomes a Failure with its place in the code."""
    try:
        return work(order)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any bug: work on other nodes goes on
        return bug(error, type(order).__name__)


def map_nodes(
    work: Callable[[_Order], _Result],
    orders: Iterable[_Order],
    pool: WorkerPool,
    *,
    most: int | None = None,
    again: bool = True,
    clock: SuspensionClock | None = None,
) -> Iterator[tuple[_Order, _Result | Failure]]:
    """Run short work on many nodes at once; yield results as they come.

    At most `most` nodes are worked on at once, and at most the pool's `parallel`. Work whose worker
    died is run once more, unless `again` is false. It is run at the end, one by one: it may kill
    its worker again, and other work in that worker with it. `clock` sees when fleet was suspended.
    """
    waiting, width = iter(orders), min(most or pool.parallel, pool.parallel)
    suspects: list[_Order] = []
    clock = clock or SuspensionClock()
    tasks = _ShortTasks(work, pool, clock)

    def fill() -> None:
        while len(tasks) < width and (order := next(waiting, None)) is not None:
            tasks.begin(order, again=again)
        if suspects and not tasks:
            tasks.begin(suspects.pop(0), again=False)

    fill()
    try:
        while tasks:
            task, result, lost = tasks.next_ended()
            retry = lost and task.again
            if retry:
                suspects.append(task.order)
            fill()
            if not retry:
                with clock.working():
                    yield task.order, clock.explain(result, task.began)
    finally:
        tasks.cancel()


@dataclass(frozen=True, slots=True)
class _ShortTask(Generic[_Order]):
    """Work on a node: when it began, and whether it is run again if its worker dies."""

    order: _Order
    again: bool
    began: float


class _ShortTasks(Generic[_Order, _Result]):
    """The tasks of one `map_nodes` that are in flight."""

    def __init__(
        self, work: Callable[[_Order], _Result], pool: WorkerPool, clock: SuspensionClock
    ) -> None:
        self._work, self._pool, self._clock = work, pool, clock
        self._ended: SimpleQueue[Future[_Result | Failure]] = SimpleQueue()
        self._running: dict[Future[_Result | Failure], _ShortTask[_Order]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, order: _Order, *, again: bool) -> None:
        future = self._pool.submit(self._work, order)
        self._running[future] = _ShortTask(order, again, self._clock.now())
        future.add_done_callback(self._ended.put)

    def next_ended(self) -> tuple[_ShortTask[_Order], _Result | Failure, bool]:
        """Wait for a task; return it with its result, and whether its worker died."""
        future = self._clock.get(self._ended)
        lost = lost_worker_failure(future)
        return self._running.pop(future), lost or future.result(), lost is not None

    def cancel(self) -> None:
        for future in self._running:
            future.cancel()


def lost_worker_failure(future: Future[_Result]) -> Failure | None:
    """Return the death of a worker as the failure of its work; None if the worker lives."""
    error = future.exception()
    if error is None:
        return None
    message = f"the worker of this node died ({words_of(error) or 'killed'})"
    remedy = "check the memory of the worker's machine, then run the command again"
    return Failure(FailureKind.WORKER, Step.WORKER, message, remedy)


@contextmanager
def block_sigint() -> Iterator[None]:
    """Block SIGINT for the processes and threads that are started meanwhile.

    They share the terminal, but Ctrl-C must reach the main thread only.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
