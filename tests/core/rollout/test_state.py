"""The state of a rollout: its beginning, each event, and the replay of many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Event,
    NodeMoved,
    RolloutState,
    advance,
    begin,
    replay,
)

BATCHES = (("a",), ("b", "c"))
START = begin(BATCHES, {})


def test_every_node_of_the_batches_begins_pending() -> None:
    assert START.nodes == dict.fromkeys("abc", NodeStatus.PENDING)


def test_no_batch_is_begun_at_first() -> None:
    assert RolloutState(BATCHES, START.nodes, -1, frozenset(), frozenset(), frozenset()) == START


def test_settled_nodes_keep_their_status() -> None:
    state = begin(BATCHES, {"x": NodeStatus.UNCHANGED, "b": NodeStatus.UNREACHABLE})

    assert state.nodes == {
        "a": NodeStatus.PENDING,
        "b": NodeStatus.UNREACHABLE,
        "c": NodeStatus.PENDING,
        "x": NodeStatus.UNCHANGED,
    }


def test_a_move_changes_the_status_of_its_node_alone() -> None:
    state = advance(START, NodeMoved("b", NodeStatus.STAGED))

    assert state.nodes == {**START.nodes, "b": NodeStatus.STAGED}
    assert (state.checked, state.reverted) == (frozenset(), frozenset())


def test_a_recheck_is_remembered_after_it() -> None:
    events = [NodeMoved("a", NodeStatus.CHECKING), NodeMoved("a", NodeStatus.CONVERGED)]

    state = replay(START, events)

    assert state.checked == {"a"}
    assert state.nodes["a"] is NodeStatus.CONVERGED


def test_a_revert_is_remembered_after_it() -> None:
    events = [NodeMoved("a", NodeStatus.REVERTING), NodeMoved("a", NodeStatus.CONVERGED)]

    assert replay(START, events).reverted == {"a"}


def test_the_newest_batch_that_was_begun_counts() -> None:
    assert replay(START, [BatchBegun(1), BatchBegun(0)]).begun == 1


def test_every_pause_that_is_over_is_remembered() -> None:
    assert replay(START, [BatchSoaked(0), BatchSoaked(1), BatchSoaked(0)]).soaked == {0, 1}


def test_an_event_leaves_the_state_before_it_as_it_was() -> None:
    advance(START, NodeMoved("a", NodeStatus.FAILED))

    assert START.nodes["a"] is NodeStatus.PENDING


def test_users_see_staged_nodes_as_pending() -> None:
    moves = [NodeMoved("a", NodeStatus.STAGING), NodeMoved("b", NodeStatus.STAGED)]

    assert replay(START, moves).count() == {NodeStatus.PENDING: 3}


def test_nodes_are_counted_by_status_with_those_outside_of_batches() -> None:
    state = begin(BATCHES, {"x": NodeStatus.UNCHANGED})

    assert advance(state, NodeMoved("a", NodeStatus.FAILED)).count() == {
        NodeStatus.FAILED: 1,
        NodeStatus.PENDING: 2,
        NodeStatus.UNCHANGED: 1,
    }


def test_nodes_of_a_status_are_in_the_order_of_the_batches() -> None:
    state = begin((("b",), ("a", "c")), {"x": NodeStatus.PENDING})

    assert state.at(NodeStatus.PENDING) == ["b", "a", "c"]


def test_nodes_of_several_statuses() -> None:
    state = replay(START, [NodeMoved("a", NodeStatus.FAILED), NodeMoved("c", NodeStatus.CONVERGED)])

    assert state.at(NodeStatus.CONVERGED, NodeStatus.FAILED) == ["a", "c"]


EVENTS = st.one_of(
    st.builds(NodeMoved, st.sampled_from("abcx"), st.sampled_from(list(NodeStatus))),
    st.builds(BatchBegun, st.integers(0, 1)),
    st.builds(BatchSoaked, st.integers(0, 1)),
)


@given(st.lists(EVENTS, max_size=12))
def test_a_replay_equals_one_event_after_the_other(events: list[Event]) -> None:
    state = START
    for event in events:
        state = advance(state, event)

    assert replay(START, events) == state


@pytest.mark.parametrize("events", [[], [BatchBegun(0)], [NodeMoved("a", NodeStatus.FAILED)]])
def test_a_replay_keeps_the_batches(events: list[Event]) -> None:
    assert replay(START, events).batches == BATCHES
