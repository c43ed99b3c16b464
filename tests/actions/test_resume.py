"""Resume: nodes in flight are settled first, and what is done is not done again."""

from __future__ import annotations

import pytest

from fleet.actions.resumable import mirrors_file
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.errors import FleetError, NothingToDoError
from fleet.journal import Journal
from fleet.node.recheck import settle_left
from tests.actions.conftest import Small
from tests.support.scripted_pool import Killed, Watcher


def died_at(small: Small, place: str) -> None:
    """Let fleet die in the middle of a rollout; the event of that place is journaled already."""
    with pytest.raises(Killed):
        small.rollout(Watcher(die_at=place))
    small.pool.done.clear()


def test_the_node_in_flight_is_settled_and_the_rest_is_done(small: Small) -> None:
    died_at(small, "b running")
    watcher = Watcher()

    result = small.resume(watcher)

    assert result.status == "finished"
    assert {outcome.status for outcome in result.outcomes.values()} == {NodeStatus.CONVERGED}
    assert [name for work, name in small.pool.done if work == "settle_left"] == ["b"]
    assert [name for work, name in small.pool.done if work == "converge"] == ["b", "c"]
    assert "settling what was left in flight: b" in watcher.shown
    assert small.kinds()[-1] == "ended"


def test_a_node_that_has_confirmed_is_not_done_again(small: Small) -> None:
    died_at(small, "b running")
    confirmed = NodeOutcome(node="b", status=NodeStatus.CONVERGED, changed=True)
    small.pool.ends[settle_left, "b"] = confirmed

    result = small.resume(Watcher())

    assert result.outcomes["b"] == confirmed
    assert [name for work, name in small.pool.done if work == "converge"] == ["c"]


def test_a_bug_in_settling_leaves_the_node_unsettled(small: Small) -> None:
    died_at(small, "b running")
    small.pool.ends[settle_left, "b"] = Failure(
        FailureKind.BUG, Step.BUG, "on purpose", "report it"
    )

    result = small.resume(Watcher())

    failure = result.outcomes["b"].failure
    assert (result.status, result.outcomes["b"].status) == ("halted", NodeStatus.UNREACHABLE)
    assert failure is not None
    assert (failure.kind, failure.step) == (FailureKind.BUG, "settle")


def test_a_finished_rollout_is_not_resumed(small: Small) -> None:
    done = small.rollout(Watcher())

    with pytest.raises(NothingToDoError, match="nothing to resume: rollout"):
        small.resume(Watcher(), done.rollout)
    with pytest.raises(NothingToDoError, match="no rollout was interrupted"):
        small.resume(Watcher())


def test_comments_layout_and_other_nodes_do_not_stop_a_resume(small: Small) -> None:
    died_at(small, "b running")
    for path in (small.target.mirrors, small.target.inventory):
        path.write_text(f"# a comment\n\n{path.read_text()}\n# another\n")

    assert small.resume(Watcher()).status == "finished"


def test_another_meaning_than_at_the_start_is_refused_by_name(small: Small) -> None:
    died_at(small, "b running")
    mirrors, inventory = small.target.mirrors, small.target.inventory
    before = mirrors.read_text(), inventory.read_text()
    mirrors.write_text(
        before[0].replace("    endpoints:", "    fallback: never\n    endpoints:", 1)
    )

    with pytest.raises(FleetError, match=r"changed since rollout .*: fallback\. Change it back"):
        small.resume(Watcher())
    mirrors.write_text(before[0])
    inventory.write_text(before[1].replace("b:", "b2:"))
    with pytest.raises(FleetError, match="the settings of b\\. Change it back"):
        small.resume(Watcher())


def test_a_rollout_without_recorded_flags_is_refused(small: Small) -> None:
    journal = small.target.open(Watcher())
    journal.begin("old", "t", {"kind": "rollout", "batches": [["a"]], "nodes": ["a"]})

    with pytest.raises(FleetError, match="begun by an older release"):
        small.resume(Watcher(), "old")


def test_the_mirrors_file_of_the_rollout_is_known_until_it_is_gone(small: Small) -> None:
    assert mirrors_file(small.target, None) is None
    died_at(small, "b running")
    rollout = next(iter(Journal(small.target.journal, read_only=True).rollouts())).id

    assert mirrors_file(small.target, None) == small.target.mirrors
    assert mirrors_file(small.target, rollout) == small.target.mirrors
    small.target.mirrors.unlink()
    assert mirrors_file(small.target, rollout) is None


@pytest.mark.parametrize(
    "about", [{"kind": "rollback", "mirrors_file": __file__}, {"kind": "rollout"}]
)
def test_other_rollouts_have_no_mirrors_file(small: Small, about: dict[str, str]) -> None:
    rollout = "20260101-000000-abcd"
    Journal(small.target.journal).begin(rollout, "t", {"batches": [["b"]], "nodes": ["b"], **about})

    assert mirrors_file(small.target, rollout) is None
