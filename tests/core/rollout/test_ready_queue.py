"""The waiting line: who may start, in order, under limits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.rollout.ready_queue import LimitedQueue

WAITERS = {"a": (0, (0,)), "b": (1, (0, 1)), "c": (2, ()), "d": (3, (1,)), "e": (4, (0,))}


def line_of(names: str) -> LimitedQueue[str]:
    line = LimitedQueue[str]()
    for name in names:
        line.join(name, *WAITERS[name])
    return line


FIRST = {
    "by their place, whenever they came": ("edcba", 9, None, "abcde"),
    "no more than there is room for": ("abcde", 2, None, "ab"),
    "a limit holds those back that it binds": ("abcde", 9, (1, 1), "acd"),
    "whom both limits bind needs a place under both": ("bde", 9, (1, 1), "b"),
    "nobody else is held back": ("abcde", 9, (0, 0), "c"),
}


@pytest.mark.parametrize(("names", "room", "free", "first"), FIRST.values(), ids=FIRST)
def test_first(names: str, room: int, free: Sequence[int] | None, first: str) -> None:
    line = line_of(names)

    assert "".join(line.first(room, free)) == first
    assert "".join(line.first(room, free)) == first, "they go on waiting"


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcde")), max_size=40))
def test_who_joins_and_leaves_again_stands_there_once(moves: list[tuple[bool, str]]) -> None:
    line, waiting = LimitedQueue[str](), set[str]()
    for joins, name in moves:
        if joins:
            line.join(name, *WAITERS[name])
            waiting.add(name)
        else:
            line.leave(name)
            waiting.discard(name)

        assert line.first(9) == tuple(sorted(waiting))
        assert len(line) == len(waiting)
