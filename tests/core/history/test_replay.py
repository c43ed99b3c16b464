"""The journal's entries, folded: what is through, what was left in the middle, how it ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.history.gate_data import gate_data
from fleet.core.history.replay import EntryKind, JournalEntry, known_roles, replay_journal
from fleet.core.history.serialize import outcome_data, read_outcome
from fleet.core.model.outcome import NodeOutcome, NodeStatus, PullClient, Verified
from fleet.core.rollout.gates import GateDecision
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.scheduler import Scheduler, next_move
from fleet.core.rollout.state import BatchBegun, BatchSoaked, Event, Finish, NodeMoved, begin


def moved(node: str, status: str, **more: object) -> JournalEntry:
    return JournalEntry("t", "moved", node, {"status": status, **more})


def test_an_outcome_comes_back_as_it_was_written() -> None:
    outcome = NodeOutcome(
        node="a",
        status=NodeStatus.ROLLED_BACK,
        strategy="certs.d",
        containerd="1.7.24",
        restarted=True,
        generation="g",
        verified=(Verified("image", ok=False, via=PullClient.CRICTL, seconds=1.5, detail="403"),),
        failure=Failure(
            FailureKind.VERIFY, Step.VERIFY, "the pull failed", "try again", "evidence"
        ),
        seconds=3.25,
    )

    assert read_outcome("a", outcome_data(outcome)) == outcome


def test_a_fold_knows_what_was_left_in_the_middle() -> None:
    lost = {"kind": "timeout", "step": "settle", "message": "lost"}
    away = {"kind": "connect", "step": "connect", "message": "down"}
    story = replay_journal(
        [["a", "b"], ["c", "d", "e", "f"]],
        [
            JournalEntry("t0", "settled", "z", {"status": "unchanged"}),
            *(moved(name, "staged") for name in "abcdef"),
            JournalEntry("t1", "batch", None, {"number": 1}),
            *(moved(name, "running") for name in "ab"),
            moved("a", "converged"),
            JournalEntry("t2", "soaked", None, {"number": 1}),
            JournalEntry("t3", "batch", None, {"number": 2}),
            moved("c", "unreachable", failure=lost),
            moved("d", "unreachable", failure=away),
            moved("e", "reverting"),
        ],
    )

    assert story.unsettled() == ["b", "c", "e"]
    assert story.status == "interrupted"
    assert story.state.nodes["z"] is NodeStatus.UNCHANGED
    assert (story.state.begun, story.state.soaked) == (1, {0})
    assert story.state.reverted == {"e"}


def test_a_node_that_is_still_locked_keeps_a_finished_rollout_open() -> None:
    end = JournalEntry("t1", "ended", None, {"status": "finished", "reason": ""})
    held = [moved("a", "converged"), moved("b", "unreachable", held=True), end]
    freed = moved("b", "unreachable", held=False)

    story = replay_journal([["a", "b"]], held)

    assert (story.status, story.unfinished, story.unsettled()) == ("finished", True, ["b"])
    assert not replay_journal([["a", "b"]], [*held, freed]).unfinished


def test_a_halted_rollout_is_open_only_while_nodes_are_left() -> None:
    end = JournalEntry("t1", "ended", None, {"status": "halted", "reason": "spent"})

    left = replay_journal([["a"], ["b"]], [moved("a", "failed"), end])
    none_left = replay_journal([["a"]], [moved("a", "failed"), end])

    assert (left.unfinished, none_left.unfinished) == (True, False)


def test_a_resumed_rollout_is_open_until_it_ends_again() -> None:
    end = JournalEntry("t1", "ended", None, {"status": "halted", "reason": "spent"})
    again = JournalEntry("t2", "resumed", None, {"operator": "me"})
    last = JournalEntry("t3", "ended", None, {"status": "finished", "reason": ""})

    ended = replay_journal([["a"]], [end])
    resumed = replay_journal([["a"]], [end, again])
    finished = replay_journal([["a"]], [end, again, last])

    assert (ended.status, ended.reason, ended.ended) == ("halted", "spent", "t1")
    assert (resumed.status, resumed.ended) == ("interrupted", None)
    assert (finished.status, finished.ended) == ("finished", "t3")


def test_the_newest_plan_says_what_no_pull_proves() -> None:
    """A plan of an earlier release says nothing of it."""
    plans = [
        {"nodes": ["a", "b"], "unproven": ["quay.io"]},
        {"nodes": ["c"], "unproven": []},
        {"nodes": ["d"]},
    ]
    newer = [{"nodes": ["b"], "unproven": ["gcr.io", "ghcr.io"]}]
    planned = [JournalEntry("t", "planned", None, {"plans": each}) for each in (plans, newer)]

    assert replay_journal([["a", "b", "c", "d"]], planned).unproven == {
        "a": ("quay.io",),
        "b": ("gcr.io", "ghcr.io"),
    }


def test_the_journal_remembers_who_is_of_the_control_plane_and_who_is_not() -> None:
    """A plan without a strategy may be that of a node which did not answer."""
    plans = [
        {"nodes": ["s1", "s2"], "strategy": "k3s", "role_evidence": ["unit k3s"]},
        {"nodes": ["w1", "w2"], "strategy": "certs.d", "role_evidence": []},
        {"nodes": ["away"], "strategy": None, "role_evidence": []},
        {"nodes": ["old"], "strategy": "certs.d"},
    ]
    entries = [
        JournalEntry("t", "planned", None, {"plans": plans}),
        JournalEntry(
            "t",
            EntryKind.PLANE_ASKED,
            None,
            {"roles": {"s3": ["process etcd"], "s2": [], "w3": []}},
        ),
        JournalEntry("t", "planned", None, {"plans": [{**plans[0], "nodes": ["w2"]}]}),
    ]

    assert known_roles(entries) == {
        "s1": ("unit k3s",),
        "s2": (),
        "s3": ("process etcd",),
        "w1": (),
        "w2": ("unit k3s",),
        "w3": (),
    }


EVENTS = st.one_of(
    st.builds(NodeMoved, st.sampled_from("abcdefz"), st.sampled_from(NodeStatus)),
    st.builds(BatchBegun, st.integers(0, 2)),
    st.builds(BatchSoaked, st.integers(0, 2)),
)


def entry_of(event: Event) -> JournalEntry:
    match event:
        case NodeMoved(node, status):
            return moved(node, str(status))
        case BatchBegun(batch):
            return JournalEntry("t", "batch", None, {"number": batch + 1})
        case BatchSoaked(batch):
            return JournalEntry("t", "soaked", None, {"number": batch + 1})


@given(st.lists(EVENTS, max_size=30), st.sampled_from(OnFailure), st.sampled_from((0, 60)))
def test_the_journal_replays_to_the_state_of_the_scheduler(
    events: list[Event], on_failure: OnFailure, pause: int
) -> None:
    """A resumed rollout goes on where the scheduler was, after any events in any order."""
    batches = (("a",), ("b", "c"), ("d", "e", "f"))
    policy = Policy(1, on_failure=on_failure, pause=pause, parallel=3)
    scheduler = Scheduler(begin(batches, {}), policy)
    for event in events:
        scheduler.advance(event)

    replayed = replay_journal(batches, map(entry_of, events)).state

    assert replayed == scheduler.state
    assert next_move(replayed, policy) == scheduler.next_move()


WRONG = Failure(FailureKind.CLUSTER, Step.GATE, "the Node is not Ready", "repair the node")


def gate(number: int, when: str, decision: GateDecision) -> JournalEntry:
    data = {"batch": number, "when": when, **gate_data(decision)}
    return JournalEntry("t", "gate", None, data)


def test_what_a_gate_found_wrong_counts_until_a_resume_accepts_it() -> None:
    ended = JournalEntry("t1", "ended", None, {"status": "halted", "reason": "1 node failed"})
    resumed = JournalEntry("t2", "resumed", None, {"operator": "o"})
    entries = [
        moved("a", "converged"),
        gate(1, "after", GateDecision(flagged={"a": WRONG})),
    ]

    killed = replay_journal([["a"], ["b"]], [*entries, resumed])
    seen = replay_journal([["a"], ["b"]], [*entries, ended])
    accepted = replay_journal([["a"], ["b"]], [*entries, ended, resumed])

    assert (killed.state.flagged, killed.state.judged) == ({"a"}, {0})
    assert (seen.state.flagged, seen.outcomes["a"].failure) == ({"a"}, WRONG)
    assert (accepted.state.flagged, accepted.outcomes["a"].failure) == (set(), None)
    assert accepted.state.judged == {0}


def test_an_excused_node_stays_excused_after_a_resume() -> None:
    decision = GateDecision(held={"a": WRONG}, excused=frozenset("a"))

    history = replay_journal([["a"]], [gate(1, "before", decision), moved("a", "failed")])

    assert history.state.excused == {"a"}
    assert next_move(history.state, Policy()) == Finish()


def test_a_gate_that_could_not_be_asked_after_the_last_batch_leaves_the_rollout_open() -> None:
    ended = JournalEntry("t1", "ended", None, {"status": "halted", "reason": "no answer"})
    entries = [moved("a", "converged"), gate(1, "after", GateDecision(halt=WRONG)), ended]

    halted = replay_journal([["a"]], entries)
    asked = replay_journal([["a"]], [*entries, gate(1, "after", GateDecision())])

    assert halted.unfinished
    assert not asked.unfinished
