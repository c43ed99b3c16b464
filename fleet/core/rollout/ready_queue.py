"""A priority queue that skips entries whose concurrency limits are exhausted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

_Waiter = TypeVar("_Waiter", bound=Hashable)


_Limits = tuple[int, ...]


class LimitedQueue(Generic[_Waiter]):
    """A queue of waiters in the order of their places, with one heap for each set of limits.

    Joining, leaving and returning the first `room` waiters cost about the logarithm of the length:
    5,000 waiting nodes are not searched each time one of them moves.
    """

    def __init__(self) -> None:
        self._waiting: set[_Waiter] = set()
        self._listed: set[_Waiter] = set()
        self._heaps: dict[_Limits, list[tuple[int, _Waiter]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, waiter: _Waiter, place: int, limits: _Limits = ()) -> None:
        """Add a waiter at its place; its place and limits must be the same each time."""
        self._waiting.add(waiter)
        if waiter not in self._listed:  # a waiter that left may still be in its heap
            self._listed.add(waiter)
            heappush(self._heaps.setdefault(limits, []), (place, waiter))

    def leave(self, waiter: _Waiter) -> None:
        """Remove a waiter; ignore one that is not waiting."""
        self._waiting.discard(waiter)

    def first(self, room: int, free: Sequence[int] | None = None) -> tuple[_Waiter, ...]:
        """Return the first waiters that may start, at most `room`; `free` are the free slots.

        The waiters stay in the queue until they leave. Without `free` the limits do not apply.
        """
        slots = None if free is None else dict(enumerate(free))
        heads = [head for limits in self._heaps if (head := self._head(limits)) is not None]
        heapify(heads)
        taken: list[tuple[int, _Limits, _Waiter]] = []
        while heads and len(taken) < room:
            place, limits, waiter = heappop(heads)
            if not _take_slots(limits, slots):
                continue  # all others in this heap need the same exhausted limits
            taken.append((place, limits, waiter))
            heappop(self._heaps[limits])
            if (head := self._head(limits)) is not None:
                heappush(heads, head)
        for place, limits, waiter in taken:
            heappush(self._heaps[limits], (place, waiter))
        return tuple(waiter for _, _, waiter in taken)

    def _head(self, limits: _Limits) -> tuple[int, _Limits, _Waiter] | None:
        """Return the first waiter with these limits; drop waiters that have left from the heap."""
        heap = self._heaps[limits]
        while heap and heap[0][1] not in self._waiting:
            self._listed.discard(heappop(heap)[1])
        return (heap[0][0], limits, heap[0][1]) if heap else None


def _take_slots(limits: _Limits, slots: dict[int, int] | None) -> bool:
    """Take a slot of each limit, if all of them have a free one."""
    if slots is None:
        return True
    if any(slots[limit] <= 0 for limit in limits):
        return False
    for limit in limits:
        slots[limit] -= 1
    return True
