"""Turns at a mirror: never more at once than asked for, and no wait without an end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet.node.verify.pull_limiter import PullLimiter


@pytest.mark.parametrize(
    ("most", "sharers", "expected"),
    [(1, 1, 1), (3, 1, 3), (9, 3, 3), (1, 4, 1)],
    ids=["one", "three", "a share of three", "a share is never nothing"],
)
def test_as_many_as_asked_for_pull_at_once_and_never_more(
    most: int, sharers: int, expected: int
) -> None:
    turns, lock = PullLimiter(sharers), threading.Lock()
    full = threading.Barrier(expected)
    inside: set[int] = set()
    seen: list[int] = []

    def pull(number: int) -> None:
        with turns.acquire(("a", "b"), most=most, patience=30, name=f"node{number}") as late:
            assert late == ()
            with lock:
                inside.add(number)
                seen.append(len(inside))
            full.wait(20)  # so many do come in together
            with lock:
                inside.remove(number)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(pull, range(12)))

    assert max(seen) == expected


def test_hosts_do_not_wait_for_each_other_and_a_turn_that_does_not_come_is_told() -> None:
    turns = PullLimiter()
    with turns.acquire(("a",), most=1, patience=0, name="first"):
        began = time.monotonic()
        with turns.acquire(("a", "b"), most=1, patience=0.5, name="second") as late:
            assert late == ("a",)
        assert 0.5 <= time.monotonic() - began < 5
        with turns.acquire(("b",), most=1, patience=0, name="third") as late:
            assert late == ()
    with turns.acquire(("a",), most=1, patience=0, name="fourth") as late:
        assert late == ()


def test_who_is_alone_does_not_wait() -> None:
    began = time.monotonic()
    for number in range(40):
        with PullLimiter().acquire(("a",), most=1, patience=9, name=f"node{number}"):
            pass
    assert time.monotonic() - began < 2
