"""A watchdog that closes a connection which hangs past its deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def close_after(seconds: float, close: Callable[[], object]) -> Iterator[None]:
    """Close a connection that is not through in `seconds`; what waited on it raises TimeoutError.

    Paramiko waits without any deadline for the answers to its channel requests (exec, subsystem);
    only the end of the transport wakes it.
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
