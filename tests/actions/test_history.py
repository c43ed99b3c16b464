"""Past rollouts as data: all of them, those of a node, and the report of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.actions.history import past_rollouts, report_of
from fleet.errors import FleetError
from fleet.journal import Journal
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher


def test_a_fleet_without_a_journal_has_no_past(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    assert past_rollouts(path) == []
    with pytest.raises(FleetError, match="no such journal"):
        report_of(path, "20260101-000000-abcd")


def test_the_newest_rollout_comes_first(small: Small) -> None:
    names = [small.rollout(Watcher()).rollout for _ in range(2)]

    rollouts = past_rollouts(small.target.journal)

    assert [data["rollout"] for data in rollouts] == names[::-1]
    assert {data["status"] for data in rollouts} == {"finished"}
    assert rollouts[0]["nodes"]["a"]["status"] == "converged"


def test_a_rollout_that_is_not_at_its_end_is_running_or_was_interrupted(small: Small) -> None:
    journal = Journal(small.target.journal)
    about = {"kind": "rollout", "operator": "eve", "files": {}, "batches": [["a"]]}
    journal.begin("20260101-000000-abcd", "t", about)

    with journal.held("rollout 20260101-000000-abcd of eve"):
        (running,) = past_rollouts(small.target.journal)
    (interrupted,) = past_rollouts(small.target.journal)

    assert [running["status"], interrupted["status"]] == ["running", "interrupted"]


def test_a_node_is_picked_out_of_all_rollouts(small: Small) -> None:
    rollout, path = small.rollout(Watcher()).rollout, small.target.journal

    assert [list(data["nodes"]) for data in past_rollouts(path, node="b")] == [["b"]]
    assert past_rollouts(path, node="elsewhere") == []
    with pytest.raises(FleetError, match="did not include node 'elsewhere'"):
        past_rollouts(path, rollout, "elsewhere")


def test_the_report_has_the_nodes_and_their_steps(small: Small) -> None:
    rollout = small.rollout(Watcher()).rollout

    report = report_of(small.target.journal, rollout)
    assert set(report["given_flags"]) < set(report["flags"])
    assert "guard" not in report["given_flags"]

    assert (report["rollout"], report["status"]) == (rollout, "finished")
    assert set(report["nodes"]) == {"a", "b", "c"}
    with pytest.raises(FleetError, match="no rollout 'nope'"):
        report_of(small.target.journal, "nope")
