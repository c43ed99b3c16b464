"""The newest rollouts of a journal in brief."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fleet.journal import Journal
from fleet.journal.recent import RecentRollout, recent_rollouts


def test_the_newest_rollouts_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    for number in range(5):
        about = {"kind": "rollout", "operator": "me@here", "flags": {"message": f"m{number}"}}
        journal.begin(f"r{number}", "2026-01-01T10:00:00", about)

    assert recent_rollouts(path, 2) == [
        RecentRollout(f"r{number}", "2026-01-01T10:00:00", "rollout", "me@here", f"m{number}")
        for number in (4, 3)
    ]


def test_a_rollout_of_an_earlier_release_has_no_message(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path).begin("r1", "t", {"kind": "rollout"})

    assert recent_rollouts(path, 9) == [RecentRollout("r1", "t", "rollout", "", "")]


def test_what_is_no_journal_is_not_created(tmp_path: Path) -> None:
    assert recent_rollouts(tmp_path / "journal.db", 9) == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "other").write_text("no database, but text of some length")
    with pytest.raises(sqlite3.Error):
        recent_rollouts(tmp_path / "other", 9)
