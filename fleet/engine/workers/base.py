"""The interface of worker pools, and the pool of threads."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol, TypeVar

from fleet.core.failure import Failure, FailureKind
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
    ended: SimpleQueue[Future[_Result | Failure]] = SimpleQueue()
    running: dict[Future[_Result | Failure], tuple[_Order, bool, float]] = {}
    stops = clock or SuspensionClock()

    def begin(order: _Order, *, again: bool) -> None:
        future = pool.submit(work, order)
        running[future] = (order, again, stops.now())
        future.add_done_callback(ended.put)

    def fill() -> None:
        while len(running) < width and (order := next(waiting, None)) is not None:
            begin(order, again=again)

    fill()
    try:
        while running:
            future = stops.get(ended)
            order, once_more, began = running.pop(future)
            lost = lost_worker_failure(future)
            if lost is not None and once_more:
                suspects.append(order)
            fill()
            if suspects and not running:
                begin(suspects.pop(0), again=False)
            if lost is None or not once_more:
                result = lost or future.result()
                with stops.working():
                    yield order, stops.explain(result, began)
    finally:
        for future in running:
            future.cancel()


def lost_worker_failure(future: Future[_Result]) -> Failure | None:
    """Return the death of a worker as the failure of its work; None if the worker lives."""
    error = future.exception()
    if error is None:
        return None
    message = f"its worker died ({words_of(error) or 'killed'}); is memory short there?"
    return Failure(FailureKind.WORKER, "worker", message)


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
