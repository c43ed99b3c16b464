"""A rollout from plans to result: what is journaled, what is shown, and what stops it."""

from __future__ import annotations

import pytest

from fleet.actions.history import past_rollouts, report_of
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.errors import FleetError
from fleet.journal import Journal
from fleet.node.converge import converge
from fleet.node.probe_node import probe
from fleet.node.stage import release, release_once
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher

FAILED = NodeOutcome(
    node="b",
    status=NodeStatus.ROLLED_BACK,
    failure=Failure(FailureKind.HEALTH, Step.HEALTH, "it was unhealthy", "restart it"),
)


def test_every_step_is_shown_and_journaled(small: Small) -> None:
    watcher = Watcher()

    result = small.rollout(watcher)

    assert (result.status, result.kind, result.batches) == (
        "finished", "rollout", (("a",), ("b",), ("c",)),
    )  # fmt: skip
    assert {end.status for end in result.outcomes.values()} == {NodeStatus.CONVERGED}
    assert result.counts == {NodeStatus.CONVERGED: 3}
    shown = [line for line in watcher.shown if "stag" not in line]
    assert shown[:4] == ["3 nodes, 0 may fail", "batch 1/3: a", "a running", "a converged"]
    kinds = small.kinds()
    assert (kinds[0], kinds[-1]) == ("planned", "ended")
    assert (kinds.count("batch"), kinds.count("moved")) == (3, 12)


def test_the_journal_keeps_the_options_for_a_resume(small: Small) -> None:
    result = small.rollout(Watcher(), guard=99, max_failures="1")

    record = Journal(small.target.journal, read_only=True).rollout(result.rollout)
    assert record.about["flags"]["guard"] == 99
    assert record.about["flags"]["max_failures"] == "1"
    assert record.about["nodes"] == ["a", "b", "c"]
    assert all(record.about["files"].values())


def test_a_message_is_journaled_in_one_line_without_secrets(small: Small) -> None:
    text = "OPS-12:\nnew mirror https://eve:pa55word@mirror.example"
    shown = "OPS-12: new mirror https://***@mirror.example"
    small.rollout(Watcher(), message=text)

    (data,) = past_rollouts(small.target.journal)

    assert (data["message"], report_of(small.target.journal, "last")["message"]) == (shown, shown)
    assert small.pool.messages == {shown}
    assert b"pa55word" not in small.target.journal.read_bytes()


def test_a_spent_budget_halts_and_releases_the_others(small: Small) -> None:
    small.pool.ends[converge, "b"] = FAILED

    result = small.rollout(Watcher())

    assert result.status == "halted"
    assert [end.status for end in result.outcomes.values()] == [
        NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK, NodeStatus.PENDING,
    ]  # fmt: skip
    assert ("release", "c") in small.pool.done


def test_a_node_that_stays_locked_is_tried_again_at_the_end(small: Small) -> None:
    small.pool.ends[converge, "b"] = FAILED
    locked = NodeOutcome(node="c", status=NodeStatus.PENDING, held=True)
    small.pool.ends[release, "c"] = locked

    released = small.rollout(Watcher())
    small.pool.ends[release_once, "c"] = locked
    still = small.rollout(Watcher())

    assert [each.outcomes["c"].held for each in (released, still)] == [False, True]


def test_nothing_is_begun_without_consent(small: Small) -> None:
    class Refusing(Watcher):
        def confirm(self, count: int) -> None:
            raise FleetError(f"not {count}")

    with pytest.raises(FleetError, match="not 3"):
        small.rollout(Refusing())

    assert {work for work, _ in small.pool.done} == {"probe"}
    assert list(Journal(small.target.journal, read_only=True).rollouts()) == []


def test_a_user_who_stops_lets_the_batch_finish(small: Small) -> None:
    class Stopping(Watcher):
        def stopping(self) -> bool:
            return "a running" in self.shown

    result = small.rollout(Stopping())

    assert (result.status, result.reason) == ("interrupted", "stopped before the next batch")
    assert result.outcomes["b"].status is NodeStatus.PENDING


def test_the_end_of_a_batch_is_shown_before_the_user_is_asked_to_stop(small: Small) -> None:
    class Stopping(Watcher):
        def stopping(self) -> bool:
            return "a converged" in self.shown

    result = small.rollout(Stopping())

    assert result.status == "interrupted"
    assert [end.status for end in result.outcomes.values()] == [
        NodeStatus.CONVERGED, NodeStatus.PENDING, NodeStatus.PENDING,
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["batch", "started", "ended", "stopping"])
@pytest.mark.parametrize("journaled", [True, False])
def test_an_error_of_the_view_stops_the_rollout_and_is_raised_at_the_end(
    small: Small, method: str, journaled: bool
) -> None:
    class Broken(Watcher):
        pass

    def fail(self: Broken, *given: object) -> object:
        if "c staged" in self.shown:
            raise ValueError(method)
        return getattr(Watcher, method)(self, *given)

    setattr(Broken, method, fail)
    broken = Broken()

    with pytest.raises(ValueError, match=method):
        small.rollout(broken, journaled=journaled)

    assert {name for work, name in small.pool.done if work == "converge"} <= {"a"}
    assert ("release", "c") in small.pool.done
    if journaled:
        assert small.kinds()[-1] == "ended"
        ends = small.resume(Watcher()).outcomes.values()
        assert {end.status for end in ends} == {NodeStatus.CONVERGED}


def test_without_a_journal_nothing_is_written(small: Small) -> None:
    result = small.rollout(Watcher(), journaled=False)

    assert result.status == "finished"
    assert not small.target.journal.exists()


def test_a_bad_option_is_refused_before_any_node_is_read(small: Small) -> None:
    for options in ({"batch": "0"}, {"max_failures": "x"}, {"guard": 8, "soak": 6}):
        with pytest.raises(FleetError):
            small.rollout(Watcher(), **options)

    assert small.pool.done == []


class Asked(Watcher):
    """A user who writes down what they are asked."""

    def confirm(self, count: int) -> None:
        self.shown.append(f"change {count}?")


@pytest.mark.parametrize("skip", [False, True])
def test_what_cannot_happen_is_not_asked_for(small: Small, *, skip: bool) -> None:
    lost = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "wait")
    small.pool.ends[probe, "b"] = lost
    watcher = Asked()

    result = small.rollout(watcher, skip_unreachable=skip)

    assert ("change 2?" in watcher.shown) is skip
    assert result.status == ("finished" if skip else "halted")
    assert result.outcomes["a"].status is (NodeStatus.CONVERGED if skip else NodeStatus.PENDING)
    assert ("converge", "a") in small.pool.done or not skip
