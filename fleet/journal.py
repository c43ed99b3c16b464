"""The journal: an append-only SQLite file beside the inventory; every status is a fold of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.errors import FleetError

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


@dataclass(frozen=True, slots=True)
class Event:
    """One entry: when, what, which node, and its data."""

    at: str
    kind: str
    node: str | None
    payload: Mapping[str, Any]


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

    def _migrate(self) -> None:
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        for number, script in enumerate(_SCRIPTS[version:], version + 1):
            self._base.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")

    def begin(self, rollout: str, at: str, about: Mapping[str, Any]) -> None:
        """Write down a rollout before anything of it is done."""
        self._base.execute("INSERT INTO rollout VALUES (?, ?, ?)", (rollout, at, json.dumps(about)))

    def append(
        self, rollout: str, at: str, kind: str, node: str | None, payload: Mapping[str, Any]
    ) -> None:
        """Write down one event; it is on the disk when this returns."""
        self._base.execute(
            "INSERT INTO event SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, ?, ?, ?"
            " FROM event WHERE rollout = ?",
            (rollout, at, kind, node, json.dumps(payload), rollout),
        )

    def rollouts(self) -> Iterator[RolloutRecord]:
        """Yield all rollouts, the newest first."""
        rows = self._base.execute("SELECT id, started, about FROM rollout ORDER BY rowid DESC")
        return (RolloutRecord(name, at, json.loads(about)) for name, at, about in rows)

    def rollout(self, name: str) -> RolloutRecord:
        """Return one rollout; raise a FleetError where there is none of that id."""
        for record in self.rollouts():
            if record.id == name:
                return record
        raise FleetError(f"no rollout {name!r} in the journal; `fleet history` lists them")

    def events(self, rollout: str) -> Iterator[Event]:
        """Yield the events of one rollout in order."""
        rows = self._base.execute(
            "SELECT at, kind, node, payload FROM event WHERE rollout = ? ORDER BY seq", (rollout,)
        )
        return (Event(at, kind, node, json.loads(payload)) for at, kind, node, payload in rows)
