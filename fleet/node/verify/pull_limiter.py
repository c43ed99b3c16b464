"""A limit of concurrent verification pulls per mirror."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

_SPREAD = 0.3
"""Seconds over which the pulls of nodes that arrive at the same time are spread."""


@dataclass(slots=True)
class PullLimiter:
    """A limit of how many nodes of this process pull from one host at the same time.

    `sharers` processes share the limit; each has an equal part of it.
    """

    sharers: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _semaphores: dict[tuple[str, int], threading.Semaphore] = field(default_factory=dict)
    _active: int = 0

    @contextmanager
    def acquire(
        self, hosts: Collection[str], *, most: int, patience: float, name: str
    ) -> Iterator[tuple[str, ...]]:
        """Hold a slot at each host; yield the hosts that had none within `patience` seconds.

        A node that arrives while others pull waits a moment first. The wait depends on `name`.
        """
        until = time.monotonic() + patience
        with ExitStack() as stack:
            if self._enter(stack):
                time.sleep(min(patience, _SPREAD * (zlib.crc32(name.encode()) % 100) / 100))
            late = []
            # All acquire in the same order, or two nodes could wait for each other.
            for host in sorted(set(hosts)):
                semaphore = self._semaphore(host, most)
                if semaphore.acquire(timeout=max(0.0, until - time.monotonic())):
                    stack.callback(semaphore.release)
                else:
                    late.append(host)
            yield tuple(late)

    def _enter(self, stack: ExitStack) -> int:
        """Count this node; return how many others were there already."""
        with self._lock:
            self._active += 1
            stack.callback(self._leave)
            return self._active - 1

    def _leave(self) -> None:
        with self._lock:
            self._active -= 1

    def _semaphore(self, host: str, most: int) -> threading.Semaphore:
        share = max(1, most // self.sharers)
        with self._lock:
            return self._semaphores.setdefault((host, share), threading.Semaphore(share))


LIMITER = PullLimiter()
"""The limiter of this process."""
