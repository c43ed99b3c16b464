"""Values that all workers of a process share, and a limit of connections that are being opened."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fleet.core.failure import Failure, NodeError

_Key = TypeVar("_Key", bound=Hashable)


_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Slot(Generic[_Value]):
    """One value, or the failure to make it and the time until which it is not retried."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    values: list[_Value] = field(default_factory=list)
    failure: Failure | None = None
    retry_at: float = 0


class SharedCache(Generic[_Key, _Value]):
    """A cache by key: one worker makes a value while the others wait for it.

    `is_usable` returns whether a value may still be used. A failure (a NodeError) is raised for
    every caller within `retry_after` seconds: a host that hangs must not block every worker in
    turn. A forked process begins with an empty cache, since connections cannot be shared with it.
    """

    def __init__(
        self,
        make: Callable[[_Key], _Value],
        is_usable: Callable[[_Value], bool] = lambda _: True,
        retry_after: float = 0,
    ) -> None:
        self._make, self._is_usable, self._retry_after = make, is_usable, retry_after
        self._slots: dict[_Key, _Slot[_Value]] = {}
        os.register_at_fork(after_in_child=self._slots.clear)

    def get(self, key: _Key) -> _Value:
        """Return the value of `key`, made now if necessary; raise the error of making it."""
        slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if slot.values and self._is_usable(slot.values[0]):
                return slot.values[0]
            slot.values.clear()
            if slot.failure is not None and time.monotonic() < slot.retry_at:
                raise _copy_error(slot.failure)
            return self._fill_slot(slot, key)

    def _fill_slot(self, slot: _Slot[_Value], key: _Key) -> _Value:
        try:
            slot.values.append(self._make(key))
        except NodeError as error:
            slot.failure, slot.retry_at = error.failure, time.monotonic() + self._retry_after
            raise
        slot.failure = None
        return slot.values[0]


def _copy_error(failure: Failure) -> NodeError:
    return NodeError(failure.kind, failure.step, failure.message, failure.remedy, failure.evidence)


def one_at_a_time(function: Callable[..., _Value]) -> Callable[..., _Value]:
    """Serialize the calls of a function: an agent's socket carries one request at a time."""
    lock = threading.Lock()

    @functools.wraps(function)
    def guarded(*words: object) -> _Value:
        with lock:
            return function(*words)

    return guarded


class StartLimiter:
    """A limit of connections that begin at once at one sshd; it is halved when sshd drops one."""

    def __init__(self, most: int) -> None:
        self._most, self._active = most, 0
        self._condition = threading.Condition()

    @contextmanager
    def start(self) -> Iterator[None]:
        """Wait for a slot, and hold it."""
        with self._condition:
            self._condition.wait_for(lambda: self._active < self._most)
            self._active += 1
        try:
            yield
        finally:
            with self._condition:
                self._active -= 1
                self._condition.notify()

    def halve(self) -> None:
        """Halve the limit from now on."""
        with self._condition:
            self._most = max(1, self._most // 2)
