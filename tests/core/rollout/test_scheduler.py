"""The scheduler: the next move in each state, and laws of every rollout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import Limit, cut_batches, parse_batches
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.scheduler import Scheduler, next_move
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Check,
    Event,
    Finish,
    Halt,
    Launch,
    NodeMoved,
    Revert,
    RolloutState,
    Soak,
    Stage,
    Wait,
    advance,
    begin,
    replay,
)

LETTERS = {
    "C": NodeStatus.CONVERGED,
    "P": NodeStatus.PENDING,
    "G": NodeStatus.STAGING,
    "S": NodeStatus.STAGED,
    "R": NodeStatus.RUNNING,
    "B": NodeStatus.ROLLED_BACK,
    "F": NodeStatus.FAILED,
    "U": NodeStatus.UNREACHABLE,
    "D": NodeStatus.DEGRADED,
    "=": NodeStatus.UNCHANGED,
}
NAMES = "abcdefgh"
WAITING = (NodeStatus.PENDING, NodeStatus.STAGED, NodeStatus.RUNNING)


def state_of(letters: str, sizes: str = "1,2") -> RolloutState:
    """Return a rollout whose nodes are in the statuses that these letters stand for."""
    names = NAMES[: len(letters)]
    state = begin(cut_batches(names, parse_batches(sizes)), {})
    moves = (NodeMoved(name, LETTERS[sign]) for name, sign in zip(names, letters, strict=True))
    return replay(state, moves)


MOVES = {
    "all nodes are staged before the first swap": ("PPP", 0, Stage(("a", "b", "c"))),
    "what is not staged yet is waited for": ("SGS", 0, Wait()),
    "the canary first": ("SSS", 0, Launch(("a",), 0)),
    "wait for the canary": ("RSS", 0, Wait()),
    "then the next batch": ("CSS", 0, Launch(("b", "c"), 1)),
    "wait for the whole batch": ("CCRS", 0, Wait()),
    "the last size repeats": ("CCCSS", 0, Launch(("d", "e"), 2)),
    "a spent budget halts": ("BSS", 0, Halt("1 node failed, --max-failures allows 0")),
    "a staging that fails counts": ("SFS", 0, Halt("1 node failed, --max-failures allows 0")),
    "a budget is for the whole rollout": (
        "BFS",
        1,
        Halt("2 nodes failed, --max-failures allows 1"),
    ),
    "within the budget it goes on": ("BSS", 1, Launch(("b", "c"), 1)),
    "unreachable nodes count": ("USS", 0, Halt("1 node failed, --max-failures allows 0")),
    "what is in flight is waited for": ("CBRSS", 0, Wait()),
    "a degraded node halts any rollout": ("DSS", 9, Halt("degraded, manual repair needed: a")),
    "failures in the last batch spend it": (
        "CCB",
        0,
        Halt("1 node failed, --max-failures allows 0"),
    ),
    "nodes that all are away spend it": ("UU", 0, Halt("2 nodes failed, --max-failures allows 0")),
    "failures in the last batch, within the budget": ("CCB", 1, Finish()),
    "all done": ("CCC", 0, Finish()),
}


@pytest.mark.parametrize(("letters", "budget", "move"), MOVES.values(), ids=MOVES)
def test_next_move(letters: str, budget: int, move: object) -> None:
    assert next_move(state_of(letters), Policy(budget)) == move


def test_no_more_nodes_are_worked_on_than_allowed() -> None:
    policy = Policy(parallel=2)

    assert next_move(state_of("PPPP"), policy) == Stage(("a", "b"))
    assert next_move(state_of("SGPP"), policy) == Stage(("c",))
    assert next_move(state_of("SGGP"), policy) == Wait()
    assert next_move(state_of("SSSS", "4"), policy) == Launch(("a", "b"), 0)


def test_after_a_pause_the_nodes_of_a_batch_are_rechecked() -> None:
    policy = Policy(pause=60)
    proven = state_of("CSS")
    soaked = advance(proven, BatchSoaked(0))
    asked = advance(soaked, NodeMoved("a", NodeStatus.CHECKING))
    still_well = advance(asked, NodeMoved("a", NodeStatus.CONVERGED))
    ill = advance(asked, NodeMoved("a", NodeStatus.ROLLED_BACK))

    assert next_move(proven, policy) == Soak(0)
    assert next_move(soaked, policy) == Check(("a",))
    assert next_move(asked, policy) == Wait()
    assert next_move(still_well, policy) == Launch(("b", "c"), 1)
    assert next_move(ill, policy) == Halt("1 node failed, --max-failures allows 0")
    assert next_move(state_of("CCC"), policy) == Finish()


REVERTS = {
    "halt leaves them": (OnFailure.HALT, "CCBSS", Halt("1 node failed, --max-failures allows 0")),
    "the batch": (OnFailure.ROLLBACK_BATCH, "CCBSS", Revert(("b",))),
    "all, the newest first": (OnFailure.ROLLBACK_ALL, "CCBSS", Revert(("b", "a"))),
    "nothing waits any more": (OnFailure.ROLLBACK_ALL, "CCB", Revert(("b", "a"))),
    "not before the batch is through": (OnFailure.ROLLBACK_ALL, "CRBSS", Wait()),
    "not beside a degraded node": (
        OnFailure.ROLLBACK_ALL,
        "CCDSS",
        Halt("degraded, manual repair needed: c"),
    ),
}


@pytest.mark.parametrize(("on_failure", "letters", "move"), REVERTS.values(), ids=REVERTS)
def test_what_a_spent_budget_reverts(on_failure: OnFailure, letters: str, move: object) -> None:
    state = advance(state_of(letters), BatchBegun(1))

    assert next_move(state, Policy(on_failure=on_failure)) == move


def test_a_node_is_reverted_only_once() -> None:
    policy = Policy(on_failure=OnFailure.ROLLBACK_ALL)
    told = advance(state_of("CBSS"), BatchBegun(1))
    told = advance(told, NodeMoved("a", NodeStatus.REVERTING))
    halt = Halt("1 node failed, --max-failures allows 0")

    assert next_move(told, policy) == Wait()
    assert next_move(advance(told, NodeMoved("a", NodeStatus.ROLLED_BACK)), policy) == halt
    assert next_move(advance(told, NodeMoved("a", NodeStatus.CONVERGED)), policy) == halt


def test_excused_nodes_do_not_count() -> None:
    policy = Policy(0, excused_nodes=frozenset("a"))

    assert next_move(state_of("USS"), policy) == Launch(("b", "c"), 1)
    assert next_move(state_of("DSS"), policy) == Launch(("b", "c"), 1)
    assert isinstance(next_move(state_of("DSS"), Policy(3)), Halt)


def test_a_group_has_no_more_in_flight_than_it_allows() -> None:
    policy = Policy(0, limits=(Limit(frozenset("abc"), 1),))

    assert next_move(state_of("SSSS", "4"), policy) == Launch(("a", "d"), 0)
    assert next_move(state_of("RSSR", "4"), policy) == Wait()
    assert next_move(state_of("CSSR", "4"), policy) == Launch(("b",), 0)


EVENTS = st.one_of(
    st.builds(NodeMoved, st.sampled_from("abcdefgh-"), st.sampled_from(list(NodeStatus))),
    st.builds(BatchBegun, st.integers(0, 3)),
    st.builds(BatchSoaked, st.integers(0, 3)),
)
LIMITS = st.lists(
    st.builds(Limit, st.frozensets(st.sampled_from("abcdefgh-")), st.integers(1, 3)), max_size=3
)


@given(st.lists(EVENTS, max_size=30), LIMITS, st.sampled_from(list(OnFailure)), st.booleans())
def test_the_scheduler_agrees_with_a_replay_after_any_events(
    events: list[Event], limits: list[Limit], on_failure: OnFailure, pause: bool
) -> None:
    """The state and the next move, after any events, those that no rollout has seen included."""
    policy = Policy(1, tuple(limits), frozenset("a"), on_failure, float(pause), parallel=3)
    start = begin(cut_batches("abcdefgh", parse_batches("1,2,3,2")), {"-": NodeStatus.UNREACHABLE})
    progress = Scheduler(start, policy)

    for number, event in enumerate(events, 1):
        progress.advance(event)
        replayed = replay(start, events[:number])

        assert progress.state == replayed
        assert progress.next_move() == next_move(replayed, policy)


@given(
    st.text(alphabet="CBFU=D", min_size=0, max_size=8),
    st.integers(0, 3),
    st.sampled_from(list(OnFailure)),
    st.sampled_from((0, 1)),
)
def test_a_rollout_always_ends(ends: str, budget: int, on_failure: OnFailure, pause: int) -> None:
    """Whatever becomes of nodes, in every policy, with no more in flight than is allowed."""
    names = NAMES[: len(ends)]
    state = begin(cut_batches(names, parse_batches("1,3")), {})
    limit = Limit(frozenset("abcd"), 1)
    policy = Policy(budget, (limit,), on_failure=on_failure, pause=pause, parallel=3)

    def moved(nodes: tuple[str, ...], status: NodeStatus | None, flying: NodeStatus) -> None:
        nonlocal state
        assert len(nodes) <= policy.parallel
        assert flying is NodeStatus.STAGING or len(limit.nodes & set(nodes)) <= limit.most
        for name in nodes:
            end = status or LETTERS[ends[names.index(name)]]
            state = replay(state, (NodeMoved(name, flying), NodeMoved(name, end)))

    for _ in range(80):
        match next_move(state, policy):
            case Stage(nodes):
                moved(nodes, NodeStatus.STAGED, NodeStatus.STAGING)
            case Launch(nodes, batch):
                assert batch == 0 or not set(state.batches[batch - 1]) & set(state.at(*WAITING))
                state = advance(state, BatchBegun(batch))
                moved(nodes, None, NodeStatus.RUNNING)
            case Soak(batch):
                state = advance(state, BatchSoaked(batch))
            case Check(nodes):
                state = replay(
                    state,
                    [NodeMoved(n, s) for n in nodes for s in (NodeStatus.CHECKING, LETTERS["C"])],
                )
            case Revert(nodes):
                moved(nodes, NodeStatus.ROLLED_BACK, NodeStatus.REVERTING)
            case Halt() | Finish():
                return
    pytest.fail("it went on and on")
