"""The journal is append-only, and on the disk before anything is done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fleet.errors import FleetError, HeldError, JournalError
from fleet.journal import Journal


def test_events_come_back_in_order_from_another_opening(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a" / "journal.db")
    journal.begin("r1", "2026-01-01T00:00:00", {"kind": "rollout"})
    for number in range(3):
        journal.append("r1", f"t{number}", "moved", f"n{number}", {"status": "running"})

    again = Journal(tmp_path / "a" / "journal.db")

    assert [event.node for event in again.entries("r1")] == ["n0", "n1", "n2"]
    assert [record.about["kind"] for record in again.rollouts()] == ["rollout"]
    with pytest.raises(FleetError, match="fleet history"):
        again.rollout("r2")


@pytest.mark.parametrize("statement", ["UPDATE event SET kind = 'x'", "DELETE FROM event"])
def test_nothing_can_be_rewritten(tmp_path: Path, statement: str) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r1", "t", {})
    journal.append("r1", "t", "moved", "n", {})

    base = sqlite3.connect(tmp_path / "journal.db")
    try:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            base.execute(statement)
    finally:
        base.close()


def test_a_journal_that_cannot_be_opened_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FleetError, match="--journal names another"):
        Journal(tmp_path / "file" / "journal.db")


def test_one_fleet_at_a_time_works_with_a_journal(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "journal.db"), Journal(tmp_path / "journal.db")

    with (
        first.held("rollout r1 of eve@there since now"),
        pytest.raises(HeldError, match="held by rollout r1 of eve@there"),
        second.held("x"),
    ):
        pytest.fail("both hold it")
    with second.held("rollout r2"):
        pass


def test_entries_that_are_written_together_keep_their_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r1", "t", {})
    journal.append("r1", "t0", "batch", None, {"number": 1})

    journal.append_all(
        "r1", "t1", [("moved", f"n{n}", {"status": f"\"'\ud800{n}"}) for n in range(9)]
    )
    journal.append_all("r1", "t2", [])

    entries = list(journal.entries("r1"))
    assert [each.node for each in entries] == [None, *(f"n{n}" for n in range(9))]
    assert [each.at for each in entries] == ["t0", *["t1"] * 9]
    assert entries[1].payload == {"status": "\"'\ud8000"}


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r1", "t", {})
    base = sqlite3.connect(tmp_path / "journal.db")
    try:
        base.execute("DROP TRIGGER event_stays")
        base.execute("DROP TABLE event")
        base.commit()
    finally:
        base.close()

    with pytest.raises(JournalError, match="cannot be written"):
        journal.append("r1", "t", "moved", "n", {})
