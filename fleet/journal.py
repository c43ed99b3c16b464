"""The journal: an append-only SQLite file beside the inventory; every status is a fold of it."""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.core.record import Entry
from fleet.errors import FleetError, HeldError, JournalError, printable

_SCRIPTS = (
    """
    CREATE TABLE rollout (
        id TEXT PRIMARY KEY,
        started TEXT NOT NULL,
        about TEXT NOT NULL
    ) STRICT;
    CREATE TABLE event (
        rollout TEXT NOT NULL REFERENCES rollout (id),
        seq INTEGER NOT NULL,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        node TEXT,
        payload TEXT NOT NULL,
        PRIMARY KEY (rollout, seq)
    ) STRICT;
    CREATE TRIGGER event_is_final BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER event_stays BEFORE DELETE ON event
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    """,
)
_APPEND = """
    INSERT INTO event
    SELECT :rollout, last.seq + 1 + row.key, :at, json_extract(row.value, '$[0]'),
        json_extract(row.value, '$[1]'), json_extract(row.value, '$[2]')
    FROM (SELECT COALESCE(MAX(seq), 0) AS seq FROM event WHERE rollout = :rollout) AS last,
        json_each(:rows) AS row
"""


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """One rollout as it was begun: `about` holds who, what for and with which files."""

    id: str
    started: str
    about: Mapping[str, Any]


class Journal:
    """Appends events and reads them back; made for one writing thread."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            message = f"{path}: the journal cannot be opened ({error}); --journal names another"
            raise FleetError(message) from error
        self._path = path

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Keep every other fleet from changing nodes beside us; `what` tells it who we are.

        The lock goes with the process, however that ends.
        """
        path = self._path.with_name(f"{self._path.name}.lock")
        try:
            lock = path.open("a+")
        except OSError as error:
            message = f"{path}: cannot be written ({error}); --journal names another"
            raise FleetError(message) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                who = printable(lock.read(500).strip()) or "another fleet"
                raise HeldError(f"{self._path} is held by {who}; wait for its end") from error
            with suppress(OSError):  # the lock counts, its words only help
                lock.truncate(0)
                lock.write(what)
                lock.flush()
            yield
            lock.truncate(0)

    def holder(self) -> str | None:
        """Return what the fleet that works with this journal says of itself; None if none does."""
        try:
            with self._path.with_name(f"{self._path.name}.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._path.with_name(f"{self._path.name}.lock").read_text()
        except OSError:
            return None
        return None

    def _migrate(self) -> None:
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        for number, script in enumerate(_SCRIPTS[version:], version + 1):
            self._base.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")

    def begin(self, rollout: str, at: str, about: Mapping[str, Any]) -> None:
        """Write down a rollout before anything of it is done."""
        values = {"rollout": rollout, "at": at, "about": json.dumps(about)}
        self._write("INSERT INTO rollout VALUES (:rollout, :at, :about)", values)

    def append(
        self, rollout: str, at: str, kind: str, node: str | None, payload: Mapping[str, Any]
    ) -> None:
        """Write down one entry; it is on the disk when this returns. Raises a JournalError."""
        self.append_all(rollout, at, [(kind, node, payload)])

    def append_all(
        self, rollout: str, at: str, entries: Iterable[tuple[str, str | None, Mapping[str, Any]]]
    ) -> None:
        """Write down several entries as one: all or none of them are on the disk afterwards.

        It is one statement, so that a signal's handler can write down an entry of its own before
        or after it, and one wait for the disk.
        """
        rows = [(kind, node, json.dumps(payload)) for kind, node, payload in entries]
        self._write(_APPEND, {"rollout": rollout, "at": at, "rows": json.dumps(rows)})

    def _write(self, statement: str, values: Mapping[str, str]) -> None:
        try:
            self._base.execute(statement, values)
        except sqlite3.Error as error:
            message = f"{self._path}: the journal cannot be written ({error}); is the disk full?"
            raise JournalError(message) from error

    def rollouts(self) -> Iterator[RolloutRecord]:
        """Yield all rollouts, the newest first."""
        rows = self._base.execute("SELECT id, started, about FROM rollout ORDER BY rowid DESC")
        return (RolloutRecord(name, at, json.loads(about)) for name, at, about in rows)

    def rollout(self, name: str) -> RolloutRecord:
        """Return one rollout; raise a FleetError where there is none of that id."""
        found = self._base.execute("SELECT id, started, about FROM rollout WHERE id = ?", (name,))
        for row_id, at, about in found:
            return RolloutRecord(row_id, at, json.loads(about))
        raise FleetError(f"no rollout {name!r} in the journal; `fleet history` lists them")

    def entries(self, rollout: str) -> Iterator[Entry]:
        """Yield the entries of one rollout in order."""
        rows = self._base.execute(
            "SELECT at, kind, node, payload FROM event WHERE rollout = ? ORDER BY seq", (rollout,)
        )
        return (Entry(at, kind, node, json.loads(payload)) for at, kind, node, payload in rows)
