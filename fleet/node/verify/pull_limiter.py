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
    _gates: dict[tuple[str, int], threading.Semaphore] = field(default_factory=dict)
    _here: int = 0

    @contextmanager
    def at(
        self, hosts: Collection[str], *, most: int, patience: float, name: str
    ) -> Iterator[tuple[str, ...]]:
        """Hold a slot at each host; yield the hosts that had none within `patience` seconds.

        A node that arrives while others pull waits a moment first. The wait depends on `name`.
        """
        until = time.monotonic() + patience
        with ExitStack() as held:
            if self._come(held):
                time.sleep(min(patience, _SPREAD * (zlib.crc32(name.encode()) % 100) / 100))
            late = []
            # All acquire in the same order, or two nodes could wait for each other.
            for host in sorted(set(hosts)):
                gate = self._gate(host, most)
                if gate.acquire(timeout=max(0.0, until - time.monotonic())):
                    held.callback(gate.release)
                else:
                    late.append(host)
            yield tuple(late)

    def _come(self, held: ExitStack) -> int:
        """Count this node; return how many others were there already."""
        with self._lock:
            self._here += 1
            held.callback(self._go)
            return self._here - 1

    def _go(self) -> None:
        with self._lock:
            self._here -= 1

    def _gate(self, host: str, most: int) -> threading.Semaphore:
        share = max(1, most // self.sharers)
        with self._lock:
            return self._gates.setdefault((host, share), threading.Semaphore(share))


TURNS = PullLimiter()
"""The limiter of this process."""
