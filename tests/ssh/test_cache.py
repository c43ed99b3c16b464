"""What workers share: made once, failures for all who wait, few starts at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.ssh.cache import SharedCache, StartLimiter


def test_a_value_is_made_once_for_all_workers() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        time.sleep(0.02)
        made.append(key)
        return key.upper()

    shared = SharedCache(make)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(shared.get, ["a", "b"] * 8))

    assert sorted(made) == ["a", "b"]
    assert found == ["A", "B"] * 8


def test_a_value_that_serves_no_more_is_made_again() -> None:
    alive: list[bool] = []

    def make(key: str) -> int:
        alive.append(True)
        return len(alive)

    shared = SharedCache(make, is_usable=lambda number: alive[number - 1])
    first = shared.get("jump")
    alive[0] = False

    assert (first, shared.get("jump"), shared.get("jump")) == (1, 2, 2)


def test_a_failure_counts_for_those_who_waited_and_is_tried_again_after_a_rest() -> None:
    tries: list[int] = []

    def make(key: str) -> str:
        tries.append(1)
        time.sleep(0.02)
        raise NodeError(FailureKind.CONNECT, Step.CONNECT, "hangs", "wait")

    def failed(_: int) -> str:
        with pytest.raises(NodeError) as caught:
            shared.get("jump")
        return caught.value.failure.message

    shared: SharedCache[str, str] = SharedCache(make, retry_after=0.3)
    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(failed, range(8)))
    before = len(tries)
    until = time.monotonic() + 10
    while len(tries) == before:
        assert time.monotonic() < until
        failed(0)

    assert (told, before, len(tries)) == ({"hangs"}, 1, 2)


def test_a_gate_lets_few_in_and_fewer_when_it_was_narrowed() -> None:
    gate, lock = StartLimiter(4), threading.Lock()
    inside: list[int] = []
    most: list[int] = []

    def visit(_: int) -> None:
        with gate.start():
            with lock:
                inside.append(1)
                most.append(len(inside))
            time.sleep(0.005)
            with lock:
                inside.pop()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(visit, range(32)))
        wide = max(most)
        most.clear()
        gate.halve()
        gate.halve()
        list(pool.map(visit, range(8)))

    assert (wide, max(most)) == (4, 1)
