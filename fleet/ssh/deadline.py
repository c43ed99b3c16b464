"""A last deadline below all others: what hangs is closed from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Deadline:
    """Whether it has passed; set by the timer, read where the blocked call ends."""

    seconds: float
    passed: bool = False


@contextmanager
def bounded(seconds: float, close: Callable[[], object]) -> Iterator[Deadline]:
    """Close a connection that is not through in `seconds`, so that what waits on it ends.

    Paramiko waits without any deadline for the answers to its channel requests (exec, subsystem);
    only the end of the transport wakes it.
    """
    deadline = Deadline(seconds)

    def end() -> None:
        deadline.passed = True
        close()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
