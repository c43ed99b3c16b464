"""Many nodes at once: the only place that starts threads for nodes."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from fleet.core.outcome import Failure, FailureKind

_Order = TypeVar("_Order")
_Result = TypeVar("_Result")


def each(
    work: Callable[[_Order], _Result], orders: Sequence[_Order], parallel: int
) -> Iterator[tuple[_Order, _Result | Failure]]:
    """Do a short piece of work on many nodes at once; yield results as they come.

    An exception out of a worker is a bug; it becomes a failure with its traceback.
    """
    with ThreadPoolExecutor(max(1, min(parallel, len(orders) or 1))) as pool:
        running: dict[Future[_Result], _Order] = {pool.submit(work, o): o for o in orders}
        try:
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    order = running.pop(future)
                    yield order, bug_of(future) or future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def bug_of(future: Future[Any]) -> Failure | None:
    """Return the exception that left a worker as a failure: it is a bug of ours."""
    error = future.exception()
    if error is None:
        return None
    evidence = "".join(traceback.format_exception(error)[-4:])
    return Failure(FailureKind.BUG, "bug", f"{type(error).__name__}: {error}", evidence)


def workers(parallel: int) -> Executor:
    """Return the pool that passes run in; the work waits on the network, so threads do."""
    return ThreadPoolExecutor(max(1, parallel))
