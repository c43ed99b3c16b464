"""A watchdog that closes a connection which hangs past its deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def close_after(seconds: float, close: Callable[[], object]) -> Iterator[None]:
    """Close a connection that takes longer than `seconds`; its block then raises a TimeoutError.

    Paramiko waits without a timeout for the replies to its channel requests (exec, subsystem); only
    the end of the transport wakes it.
    """
    passed = threading.Event()

    def end() -> None:
        passed.set()
        close()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if passed.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
