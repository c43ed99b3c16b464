"""Periods in which this process did not run (SIGSTOP, a closed lid), which break connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from fleet.core.outcome import FailureKind, NodeOutcome

_SLACK = 10
"""Seconds by which a busy machine may be late without having been stopped."""
_CUT = {FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.PROTOCOL, FailureKind.GUARD}
"""Failures that a stop of fleet itself brings about."""


def _boottime() -> float:
    """Return a clock in seconds that also counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Stops:
    """Detects waits that took much longer than planned."""

    def __init__(self, now: Callable[[], float] = _boottime) -> None:
        self.now = now
        self._found: list[tuple[float, float]] = []

    def sleep(self, seconds: float) -> None:
        """Sleep, and record it if it took much longer."""
        began = self.now()
        time.sleep(seconds)
        self.waited(began, seconds)

    def waited(self, began: float, seconds: float) -> None:
        """Record a wait if it took much longer than `seconds`; `began` is its start."""
        over = self.now() - began - seconds
        if over > _SLACK:
            self._found.append((self.now(), over))

    def explain(self, ended: NodeOutcome, began: float) -> NodeOutcome:
        """Return the outcome; if fleet was stopped since `began`, name that as the cause."""
        stopped = sum(seconds for at, seconds in self._found if at > began)
        failure = ended.failure
        if not stopped or failure is None or failure.kind not in _CUT:
            return ended
        message = f"fleet itself did not run for {stopped:.0f} s (SIGSTOP, or a machine that slept)"
        told = replace(failure, message=f"{message}, so this followed: {failure.message}")
        return replace(ended, failure=told)
