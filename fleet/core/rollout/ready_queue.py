"""A priority queue that skips entries whose concurrency limits are exhausted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

_Waiter = TypeVar("_Waiter", bound=Hashable)


_Limits = tuple[int, ...]


class LimitedQueue(Generic[_Waiter]):
    """Waiters by their place, parted by the limits that bind them.

    Joining, leaving and finding the first `room` cost about the logarithm of its length: 5,000
    nodes that wait are not looked through each time one of them moves.
    """

    def __init__(self) -> None:
        self._waiting: set[_Waiter] = set()
        self._listed: set[_Waiter] = set()
        self._heaps: dict[_Limits, list[tuple[int, _Waiter]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, waiter: _Waiter, place: int, limits: _Limits = ()) -> None:
        """Let a waiter stand at its place; it has the same place and limits each time."""
        self._waiting.add(waiter)
        if waiter not in self._listed:  # one that left may still be listed
            self._listed.add(waiter)
            heappush(self._heaps.setdefault(limits, []), (place, waiter))

    def leave(self, waiter: _Waiter) -> None:
        """Let a waiter go; one that does not wait may leave as well."""
        self._waiting.discard(waiter)

    def first(self, room: int, free: Sequence[int] | None = None) -> tuple[_Waiter, ...]:
        """Return the first that may start, at most `room`; `free` is what each limit still bears.

        They go on waiting until they leave. Without `free` nobody asks for limits.
        """
        bears = None if free is None else dict(enumerate(free))
        heads = [head for limits in self._heaps if (head := self._head(limits)) is not None]
        heapify(heads)
        taken: list[tuple[int, _Limits, _Waiter]] = []
        while heads and len(taken) < room:
            place, limits, waiter = heappop(heads)
            if not _admitted(limits, bears):
                continue  # nobody behind it is bound by less
            taken.append((place, limits, waiter))
            heappop(self._heaps[limits])
            if (head := self._head(limits)) is not None:
                heappush(heads, head)
        for place, limits, waiter in taken:
            heappush(self._heaps[limits], (place, waiter))
        return tuple(waiter for _, _, waiter in taken)

    def _head(self, limits: _Limits) -> tuple[int, _Limits, _Waiter] | None:
        """Return the first of those that are bound by the same limits; forget who left."""
        heap = self._heaps[limits]
        while heap and heap[0][1] not in self._waiting:
            self._listed.discard(heappop(heap)[1])
        return (heap[0][0], limits, heap[0][1]) if heap else None


def _admitted(limits: _Limits, bears: dict[int, int] | None) -> bool:
    """Take one place under each limit, if all of them bear one more."""
    if bears is None:
        return True
    if any(bears[limit] <= 0 for limit in limits):
        return False
    for limit in limits:
        bears[limit] -= 1
    return True
