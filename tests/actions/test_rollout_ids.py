"""Rollout IDs that are looked up in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.actions.options import RolloutOptions
from fleet.actions.rollout_ids import full_id, full_id_if_known, with_full_ids
from fleet.core.history.rollout_ids import UnknownRolloutError
from fleet.errors import FleetError
from fleet.journal import Journal

FIRST, SECOND = "20261126-101500-a1b2", "20261127-224110-00ff"
ELSEWHERE = "20200101-000000-abcd"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.db")
    for name in (FIRST, SECOND):
        journal.begin(name, "t", {"kind": "rollout", "operator": "eve@there"})
    return tmp_path / "journal.db"


@pytest.mark.parametrize(
    ("given", "found"),
    [("last", SECOND), ("20261126", FIRST), ("00ff", SECOND), (ELSEWHERE, ELSEWHERE)],
)
def test_a_rollout_is_named_in_short(path: Path, given: str, found: str) -> None:
    assert full_id(path, given) == found
    assert full_id_if_known(path, given) == found


def test_an_ambiguous_name_lists_what_it_may_mean(path: Path) -> None:
    for find in (full_id, full_id_if_known):
        with pytest.raises(FleetError, match="ambiguous") as raised:
            find(path, "2026")
        assert f"{SECOND}  rollout by eve@there\n  {FIRST}" in str(raised.value)


def test_an_unknown_name_is_an_error_unless_a_node_may_know_it(path: Path) -> None:
    with pytest.raises(UnknownRolloutError, match="no rollout 'r1' in the journal"):
        full_id(path, "r1")
    assert full_id_if_known(path, "r1") == "r1"


def test_without_a_journal_only_whole_ids_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"

    assert full_id(path, ELSEWHERE) == ELSEWHERE
    assert full_id_if_known(path, "r1") == "r1"
    for find in (full_id, full_id_if_known):
        with pytest.raises(FleetError, match="no journal to look up 'last'"):
            find(path, "last")
    assert not path.exists()


def test_an_empty_journal_has_no_last_rollout(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.db")

    with pytest.raises(FleetError, match="has no rollout yet"):
        full_id_if_known(tmp_path / "journal.db", "last")


def test_options_get_whole_ids(path: Path) -> None:
    assert with_full_ids(RolloutOptions(to="last"), path).to == SECOND
    assert with_full_ids(RolloutOptions(rerun=("failed", "a1b2")), path).rerun == ("failed", FIRST)
    assert with_full_ids(RolloutOptions(), path) == RolloutOptions()
