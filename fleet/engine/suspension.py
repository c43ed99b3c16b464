"""Detection of periods when this process did not run (SIGSTOP, a closed laptop lid).

Such a period breaks connections and passes deadlines, so failures after it need an explanation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TypeVar, cast

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.outcome import NodeOutcome

_Item = TypeVar("_Item")


_Result = TypeVar("_Result")


_CHECK_SECONDS = 1
"""Seconds between two checks of the clock while no task ends."""


_SLACK = 10
"""Seconds by which a wait may be late on a busy machine before it counts as a suspension."""


_CAUSED = {FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.PROTOCOL, FailureKind.GUARD}
"""Kinds of failures that a suspension of fleet itself can cause."""


def _boottime() -> float:
    """Return the seconds since the boot; they also count while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SuspensionClock:
    """Detects waits that took much longer than planned."""

    def __init__(self, now: Callable[[], float] = _boottime) -> None:
        self.now = now
        self._suspensions: list[tuple[float, float]] = []

    def sleep(self, seconds: float) -> None:
        """Sleep; record a suspension if that took much longer than `seconds`."""
        began = self.now()
        time.sleep(seconds)
        self.waited(began, seconds)

    def waited(self, began: float, seconds: float) -> None:
        """Record a suspension if a wait since `began` took much longer than `seconds`."""
        excess = self.now() - began - seconds
        if excess > _SLACK:
            self._suspensions.append((self.now(), excess))

    def get(self, queue: SimpleQueue[_Item]) -> _Item:
        """Wait for an item; record a suspension during the wait."""
        while True:
            began = self.now()
            try:
                return queue.get(timeout=_CHECK_SECONDS)
            except Empty:
                continue
            finally:
                self.waited(began, _CHECK_SECONDS)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Record a suspension if the work of the block took much longer than its CPU time."""
        began, used = self.now(), time.process_time()
        yield
        self.waited(began, time.process_time() - used)

    def explain(self, result: _Result, began: float) -> _Result:
        """Return the result; if fleet was suspended since `began`, its failure names that cause."""
        stopped = sum(seconds for at, seconds in self._suspensions if at > began)
        failure = result.failure if isinstance(result, NodeOutcome) else result
        if not stopped or not isinstance(failure, Failure) or failure.kind not in _CAUSED:
            return result
        message = f"fleet itself was suspended for {stopped:.0f} s (SIGSTOP or a sleeping machine)"
        explanation = replace(failure, message=f"{message}, then: {failure.message}")
        explained = (
            replace(result, failure=explanation) if isinstance(result, NodeOutcome) else explanation
        )
        return cast("_Result", explained)
