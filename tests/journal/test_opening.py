"""A journal that cannot be used is named for what it is, and its files are their owner's alone."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.errors import FleetError
from fleet.journal import Journal, opening
from tests.support.fleet import Fleet

ABOUT = {"kind": "rollout", "operator": "eve@there", "files": {}, "batches": [["n"]]}
MOMENT = "2026-01-01T00:00:00"
NOBODY = 65534


def written(path: Path) -> None:
    """Write a journal with one rollout and some entries."""
    journal = Journal(path)
    journal.begin("r1", MOMENT, ABOUT)
    for _ in range(400):
        journal.append("r1", MOMENT, "moved", "n", {"status": "running"})
    del journal
    gc.collect()  # closes it, and so moves all of it into the one file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _newer(path: Path) -> None:
    written(path)
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA user_version = 7")


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE rollout (x)")


def _truncated(path: Path) -> None:
    written(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _nonsense(path: Path) -> None:
    path.write_bytes(b"this is not a journal at all, but some text" * 100)


def _half_an_entry(path: Path) -> None:
    written(path)
    with sqlite3.connect(path) as base:
        base.execute("INSERT INTO event VALUES ('r1', 9999, 't', 'moved', 'n', '{\"sta')")


def _an_entry_of_tomorrow(path: Path) -> None:
    written(path)
    Journal(path).append("r1", MOMENT, "moved", "n", {"status": "sublimated"})


def _folder(path: Path) -> None:
    path.mkdir()


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "of a newer fleet": (
        _newer,
        "was written by a newer fleet (schema 7, this fleet reads 1). Upgrade",
    ),
    "of another program": (_foreign, "a database of another program, not a journal"),
    "cut in half": (_truncated, "the journal is damaged"),
    "no database": (_nonsense, "the journal is damaged (file is not a database). Move it away"),
    "half an entry": (_half_an_entry, "is damaged (JSONDecodeError in an entry)"),
    "an entry of tomorrow": (_an_entry_of_tomorrow, "is damaged (ValueError in an entry)"),
    "a folder": (_folder, "a folder, not a journal. Use another file with --journal FILE"),
    "a device": (os.mkfifo, "not a regular file, so not a journal"),
}


@pytest.mark.parametrize("words", [("history",), ("report", "r1")])
@pytest.mark.parametrize(("make", "message"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_journal_is_named_for_what_it_is(
    offline: Fleet, make: Callable[[Path], None], message: str, words: tuple[str, ...]
) -> None:
    path = offline.folder / "journal.db"
    make(path)

    ran = offline(*words, "--journal", str(path))

    assert ran.code == 2
    assert message in ran.stderr
    assert "a bug in fleet" not in ran.text


@pytest.mark.parametrize(
    ("make", "message"), [BROKEN[key] for key in list(BROKEN)[:4]], ids=list(BROKEN)[:4]
)
def test_nothing_is_written_into_a_broken_journal(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "journal.db"
    make(path)
    before = path.read_bytes()

    with pytest.raises(FleetError) as raised:
        Journal(path)

    assert message.split(" (", maxsplit=1)[0] in str(raised.value)
    assert path.read_bytes() == before


def test_a_journal_that_a_killed_fleet_left_empty_is_read_and_begun(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"")

    assert list(Journal(path, read_only=True).rollouts()) == []
    written(path)
    assert len(list(Journal(path, read_only=True).rollouts())) == 1


def test_a_journal_of_an_older_fleet_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    written(path)
    monkeypatch.setattr(opening, "SCHEMAS", (*opening.SCHEMAS, "CREATE TABLE more (x TEXT) STRICT"))

    journal = Journal(path)

    assert len(journal.entries("r1")) == 400
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA user_version").fetchone() == (2,)
    base.close()


@contextmanager
def _as_nobody() -> Iterator[Path]:
    """Become a user who may do nothing, in a folder that this user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "a").mkdir()
        try:
            yield folder / "a"
        finally:
            os.seteuid(0)


@pytest.mark.root
def test_a_journal_that_may_not_be_read_is_told_with_the_reason() -> None:
    with _as_nobody() as folder:
        written(folder / "journal.db")
        os.seteuid(NOBODY)

        with pytest.raises(FleetError, match=r"cannot be opened \(Permission denied\)\. Use"):
            Journal(folder / "journal.db", read_only=True)
        with pytest.raises(FleetError, match=r"cannot be opened \(Permission denied\)\. Use"):
            Journal(folder / "new.db")


@pytest.mark.root
def test_a_journal_in_a_read_only_folder_is_read_all_the_same() -> None:
    with _as_nobody() as folder:
        written(folder / "journal.db")
        (folder / "journal.db").chmod(0o444)
        os.seteuid(NOBODY)

        assert len(list(Journal(folder / "journal.db", read_only=True).rollouts())) == 1


def test_reading_changes_no_byte_of_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    written(path)
    before = path.read_bytes()

    assert len(Journal(path, read_only=True).entries("r1")) == 400
    assert path.read_bytes() == before


def test_the_journal_and_all_beside_it_are_for_their_owner_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / ".fleet" / "journal.db")
    journal.begin("r1", "t", ABOUT)
    journal.key()

    with journal.held("x"):
        found = {path.name: mode(path) for path in (tmp_path / ".fleet").iterdir()}

    assert mode(tmp_path / ".fleet") == 0o700
    names = ("journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock", "fingerprint.key")
    assert found == dict.fromkeys(names, 0o600)


def test_what_others_may_read_of_an_older_journal_is_taken_from_them(tmp_path: Path) -> None:
    folder = tmp_path / ".fleet"
    written(folder / "journal.db")
    open_one = sqlite3.connect(folder / "journal.db")  # keeps -wal and -shm
    open_one.execute("SELECT * FROM rollout").fetchall()
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)

    journal = Journal(folder / "journal.db")
    journal.begin("r2", "t", ABOUT)

    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir() if path.name != "journal.db.lock"} == {0o600}
    assert journal.notes == ()
    open_one.close()


def test_the_users_own_folder_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o755)

    Journal(tmp_path / "mine" / "journal.db")

    assert mode(tmp_path / "mine") == 0o755


def test_a_report_and_a_log_are_for_their_owner_alone(offline: Fleet) -> None:
    written(offline.folder / "journal.db")
    (offline.folder / "old.html").write_text("x" * 9)
    (offline.folder / "old.html").chmod(0o666)

    for name in ("old.html", "new.html"):
        ran = offline("report", "r1", "--journal", "journal.db", "-o", name, "--log", "a.log")
        assert ran.code == 0, ran.stderr

    assert {mode(offline.folder / name) for name in ("old.html", "new.html", "a.log")} == {0o600}
    told = offline("report", "r1", "--journal", "journal.db", "-o", "/dev/stdout")
    assert told.code == 0
    assert "<html" in told.stdout
