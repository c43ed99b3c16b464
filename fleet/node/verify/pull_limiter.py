"""A limit of concurrent verification pulls per mirror."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

_SPREAD = 0.3
"""Seconds over which nodes that come at the same time spread their beginnings."""


@dataclass(slots=True)
class PullLimiter:
    """How many passes of this process pull from one host at the same time.

    `sharers` processes have the limit in common, each a share of it.
    """

    sharers: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _gates: dict[tuple[str, int], threading.Semaphore] = field(default_factory=dict)
    _here: int = 0

    @contextmanager
    def at(
        self, hosts: Collection[str], *, most: int, patience: float, name: str
    ) -> Iterator[tuple[str, ...]]:
        """Hold a turn at each host; yield the hosts whose turn did not come in `patience` seconds.

        Who comes while others are here first waits a moment, the same for a `name` each time.
        """
        until = time.monotonic() + patience
        with ExitStack() as held:
            if self._come(held):
                time.sleep(min(patience, _SPREAD * (zlib.crc32(name.encode()) % 100) / 100))
            late = []
            for host in sorted(
                set(hosts)
            ):  # in one order for all, or two could wait for each other
                gate = self._gate(host, most)
                if gate.acquire(timeout=max(0.0, until - time.monotonic())):
                    held.callback(gate.release)
                else:
                    late.append(host)
            yield tuple(late)

    def _come(self, held: ExitStack) -> int:
        """Return how many others are here already."""
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
"""Those of this process."""
