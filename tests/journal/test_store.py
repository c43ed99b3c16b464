"""The journal is append-only, and on the disk before anything is done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fleet.core.history.replay import EntryKind
from fleet.errors import FleetError, HeldError, JournalError
from fleet.journal import Journal, RolloutRecord, read_key


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

    with pytest.raises(FleetError, match="Use another file with --journal FILE"):
        Journal(tmp_path / "file" / "journal.db")


def test_one_fleet_at_a_time_works_with_a_journal(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "journal.db"), Journal(tmp_path / "journal.db")

    with (
        first.held("rollout r1 of eve@there since now"),
        pytest.raises(HeldError, match="in use by rollout r1 of eve@there"),
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


def test_rollouts_come_back_newest_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for name in ("r1", "r2", "r3"):
        journal.begin(name, f"at {name}", {"kind": name})

    assert list(journal.rollouts()) == [
        RolloutRecord(name, f"at {name}", {"kind": name}) for name in ("r3", "r2", "r1")
    ]
    assert journal.rollout("r2") == RolloutRecord("r2", "at r2", {"kind": "r2"})


def test_a_journal_knows_its_rollouts_by_their_whole_id(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r1", "t", {})

    assert [journal.knows(name) for name in ("r1", "r", "R1", "")] == [True, False, False, False]


def test_two_rollouts_cannot_have_the_same_id(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r1", "t", {})

    with pytest.raises(JournalError, match="cannot be written"):
        journal.begin("r1", "t", {})


def test_the_entries_of_two_rollouts_do_not_mix(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for name in ("r1", "r2"):
        journal.begin(name, "t", {})
    for number in range(3):
        for name in ("r1", "r2"):
            journal.append(name, f"t{number}", "moved", f"{name} {number}", {})

    assert [entry.node for entry in journal.entries("r2")] == ["r2 0", "r2 1", "r2 2"]


def test_a_rollout_is_replayed_from_its_entries(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r1", "t", {"batches": [["a"], ["b"]]})
    journal.append("r1", "t", "moved", "a", {"status": "running"})

    statuses = journal.replayed(journal.rollout("r1")).state.nodes

    assert {name: str(status) for name, status in statuses.items()} == {
        "a": "running",
        "b": "pending",
    }


def test_the_newest_role_of_a_node_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for name, role in (("r1", "member"), ("r2", "manifests")):
        journal.begin(name, "t", {})
        journal.append(name, "t", EntryKind.PLANE_ASKED, None, {"roles": {"cp1": [role]}})

    assert journal.roles() == {"cp1": ("manifests",)}


def test_the_lock_names_its_holder_until_it_is_released(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    other = Journal(tmp_path / "journal.db", read_only=True)

    assert other.holder() is None
    with journal.held("rollout r1 of eve@there"):
        assert other.holder() == "rollout r1 of eve@there"
    assert other.holder() is None
    assert (tmp_path / "journal.db.lock").read_text() == ""


def test_a_lock_is_released_after_an_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")

    with pytest.raises(ZeroDivisionError), journal.held("x"):
        raise ZeroDivisionError

    assert journal.holder() is None


def test_the_holders_text_cannot_control_a_terminal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")

    with journal.held("\x1b[2J eve"), pytest.raises(HeldError) as raised, journal.held("x"):
        pytest.fail("both hold it")

    assert r"is in use by \x1b[2J eve. Wait" in str(raised.value)


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    (tmp_path / "journal.db.lock").mkdir()

    with pytest.raises(FleetError, match=r"journal\.db\.lock: cannot be written \(Is a directory"):
        journal.held("x").__enter__()


def test_the_key_of_fingerprints_stands_beside_the_journal(tmp_path: Path) -> None:
    assert Journal(tmp_path / "journal.db").key() == read_key(tmp_path / "journal.db")
