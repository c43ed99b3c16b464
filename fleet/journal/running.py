"""The process on this machine that runs a rollout, found by the journal lock that it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_MOST = 500
"""The most bytes of a lock file that are read."""


def running_process(rollout: str) -> tuple[int, str] | None:
    """Return the id of the process that runs a rollout, and the text of its journal's lock.

    It is None if no such process is seen, as on a system without /proc, or if the process is
    another user's.
    """
    for number in _numbers():
        for text in _lock_texts(number):
            if rollout in text.split()[:2]:
                return number, text
    return None


def _numbers() -> Iterator[int]:
    with suppress(OSError):
        for path in _PROCESSES.iterdir():
            if path.name.isdigit() and int(path.name) != os.getpid():
                yield int(path.name)


def _lock_texts(number: int) -> Iterator[str]:
    """Yield the texts of the lock files that a process has open."""
    try:
        opened = list((_PROCESSES / str(number) / "fd").iterdir())
    except OSError:  # it has ended, or is another user's
        return
    for path in opened:
        with suppress(OSError):
            target = path.readlink()
            if target.suffix == ".lock":
                with target.open("rb") as lock:
                    yield lock.read(_MOST).decode("utf-8", "replace").strip()
