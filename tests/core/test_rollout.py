"""The reducer: a table of letters, and laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.outcome import NodeStatus
from fleet.core.rollout import (
    Finish,
    Halt,
    Launch,
    Limit,
    NodeMoved,
    Policy,
    Wait,
    advance,
    begin,
    cut_batches,
    next_move,
    parse_batches,
    parse_size,
    replay,
)
from fleet.errors import FleetError

LETTERS = {
    "C": NodeStatus.CONVERGED,
    "P": NodeStatus.PENDING,
    "R": NodeStatus.RUNNING,
    "B": NodeStatus.ROLLED_BACK,
    "F": NodeStatus.FAILED,
    "U": NodeStatus.UNREACHABLE,
    "D": NodeStatus.DEGRADED,
    "=": NodeStatus.UNCHANGED,
}
NAMES = "abcdefgh"


def state_of(letters: str, sizes: str = "1,2"):
    names = NAMES[: len(letters)]
    state = begin(cut_batches(names, parse_batches(sizes)), {})
    moved = (NodeMoved(name, LETTERS[each]) for name, each in zip(names, letters, strict=True))
    return replay(state, moved)


MOVES = {
    "the canary first": ("PPP", 0, Launch(("a",), 0)),
    "wait for the canary": ("RPP", 0, Wait()),
    "then the next batch": ("CPP", 0, Launch(("b", "c"), 1)),
    "wait for the whole batch": ("CCRP", 0, Wait()),
    "the last size repeats": ("CCCPP", 0, Launch(("d", "e"), 2)),
    "a spent budget halts": ("BPP", 0, Halt("1 failed, and --max-failures allows 0")),
    "a budget is for the whole rollout": ("BFP", 1, Halt("2 failed, and --max-failures allows 1")),
    "within the budget it goes on": ("BPP", 1, Launch(("b", "c"), 1)),
    "unreachable nodes count": ("UPP", 0, Halt("1 failed, and --max-failures allows 0")),
    "what is in flight is waited for": ("CBRPP", 0, Wait()),
    "a degraded node halts any rollout": ("DPP", 9, Halt("degraded, hands needed: a")),
    "failures in the last batch end it": ("CCB", 0, Finish()),
    "all done": ("CCC", 0, Finish()),
}


@pytest.mark.parametrize(("letters", "budget", "move"), MOVES.values(), ids=MOVES)
def test_next_move(letters: str, budget: int, move: object) -> None:
    assert next_move(state_of(letters), Policy(budget)) == move


def test_forgiven_nodes_do_not_count() -> None:
    policy = Policy(0, forgiven=frozenset("a"))

    assert next_move(state_of("UPP"), policy) == Launch(("b", "c"), 1)


def test_a_group_has_no_more_in_flight_than_it_allows() -> None:
    policy = Policy(0, limits=(Limit(frozenset("abc"), 1),))

    assert next_move(state_of("PPPP", "4"), policy) == Launch(("a", "d"), 0)
    assert next_move(state_of("RPPR", "4"), policy) == Wait()
    assert next_move(state_of("CPPR", "4"), policy) == Launch(("b",), 0)


BATCHES = {
    "numbers": ("1,2", 6, [1, 2, 2, 1]),
    "percentages round down": ("25%", 10, [2, 2, 2, 2, 2]),
    "but never below one": ("1%", 3, [1, 1, 1]),
    "mixed": ("1,10%,50%", 20, [1, 2, 10, 7]),
}


@pytest.mark.parametrize(("text", "count", "lengths"), BATCHES.values(), ids=BATCHES)
def test_batches(text: str, count: int, lengths: list[int]) -> None:
    names = [f"n{number}" for number in range(count)]

    batches = cut_batches(names, parse_batches(text))

    assert [len(batch) for batch in batches] == lengths
    assert [name for batch in batches for name in batch] == names


@pytest.mark.parametrize("text", ["", "x", "0", "1,,2", "101%", "-1", "1.5"])
def test_bad_sizes_are_refused(text: str) -> None:
    with pytest.raises(FleetError, match="--batch"):
        parse_batches(text)


def test_a_budget_may_be_a_percentage() -> None:
    assert parse_size("10%", "x").of(50) == 5


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(list(NodeStatus)))))
def test_a_replay_is_the_same_as_living_through_it(moves: list[tuple[str, NodeStatus]]) -> None:
    start = begin(cut_batches("abcd", parse_batches("1,2")), {})
    events = [NodeMoved(*move) for move in moves]
    lived = start
    for event in events:
        lived = advance(lived, event)

    assert replay(start, events) == lived


@given(st.text(alphabet="CBFU=", min_size=0, max_size=8), st.integers(0, 3))
def test_a_rollout_always_ends(ends: str, budget: int) -> None:
    names = NAMES[: len(ends)]
    state = begin(cut_batches(names, parse_batches("1,3")), {})
    policy = Policy(budget, limits=(Limit(frozenset("abcd"), 1),))
    for _ in range(40):
        match next_move(state, policy):
            case Launch(nodes):
                for name in nodes:
                    status = LETTERS[ends[names.index(name)]]
                    state = advance(state, NodeMoved(name, status))
            case Halt() | Finish():
                return
    pytest.fail("it went on and on")
