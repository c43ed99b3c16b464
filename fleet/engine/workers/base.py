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
from fleet.ssh.descriptors import most_busy


class HasNode(Protocol):
    """An order for the work on one node."""

    @property
    def node(self) -> Node:
        """Return the node; work on the same node goes to the same worker where that can be."""
        ...


_Order = TypeVar("_Order", bound=HasNode)


_Given = TypeVar("_Given")


_Result = TypeVar("_Result")


class LostWorkerError(Exception):
    """The worker is gone in the middle of its work; only the node can tell how far that came."""


class WorkerPool(Protocol):
    """Workers for nodes. They take what they are given: who gives it keeps it within bounds.

    `parallel` nodes may be read at once, and `passes` changed. `keeps` says whether connections may
    be kept, as work on a node goes where the work before it went, and nobody stays on at the end.
    """

    parallel: int
    shares_sessions: int
    keeps: bool

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Begin a piece of work; a bug in it is a failure, the end of its worker a LostWorkerError.

        The future says that it is running from when a worker has it.
        """
        ...

    def close(self) -> None:
        """Give up what still runs, and let the workers go."""
        ...


class ThreadPool:
    """Workers in this process: the work waits for the network, so threads will do."""

    keeps = True

    def __init__(self, parallel: int) -> None:
        self.parallel, self.shares_sessions = parallel, min(64, most_busy())
        # A thread is started where none is idle; one that never comes back takes nobody's place.
        self._pool = ThreadPoolExecutor(1 << 16, thread_name_prefix="node")

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Begin a piece of work in a thread."""
        return self._pool.submit(run_in_pool, work, order)

    def close(self) -> None:
        """Give up what still runs, and the connections that were kept."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        close_all_pooled()


def run_in_pool(work: Callable[[_Given], _Result], order: _Given) -> _Result | Failure:
    """Do a piece of work; an exception out of it is a bug of ours, told with its place."""
    try:
        return work(order)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the others go on
        return bug(error, type(order).__name__)


def map_nodes(
    work: Callable[[_Order], _Result],
    orders: Iterable[_Order],
    crew: WorkerPool,
    *,
    most: int | None = None,
    again: bool = True,
) -> Iterator[tuple[_Order, _Result | Failure]]:
    """Do a short piece of work on many nodes at once; yield results as they come.

    Work whose worker died is done once more, unless `again` says that it must not be. It is done
    at the end, one by one: what killed its worker may do so again, and would take others with it.
    """
    waiting, width = iter(orders), min(most or crew.parallel, crew.parallel)
    suspects: list[_Order] = []
    ended: SimpleQueue[Future[_Result | Failure]] = SimpleQueue()
    running: dict[Future[_Result | Failure], tuple[_Order, bool, float]] = {}
    stops = SuspensionClock()

    def begin(order: _Order, *, again: bool) -> None:
        future = crew.submit(work, order)
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
    """Return the end of a worker as a failure of the work that it was about."""
    error = future.exception()
    if error is None:
        return None
    message = f"its worker died ({words_of(error) or 'killed'}); is memory short there?"
    return Failure(FailureKind.WORKER, "worker", message)


@contextmanager
def block_sigint() -> Iterator[None]:
    """Start processes and threads that never hear Ctrl-C, although they share the terminal."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
