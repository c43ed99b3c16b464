"""The journal's store: an append-only SQLite file, from which every status is replayed."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.history.rollout_ids import LAST, UnknownRolloutError, ambiguous, find_ids
from fleet.errors import FleetError, HeldError, printable
from fleet.journal.fingerprint_key import lasting_key
from fleet.journal.opening import open_for_reading, open_for_writing, reading, write_error
from fleet.journal.private_files import open_private

if TYPE_CHECKING:
    from fleet.core.history.replay import JournalEntry, RolloutHistory

_APPEND = """
    INSERT INTO event
    SELECT :rollout, last.seq + 1 + row.key, :at, json_extract(row.value, '$[0]'),
        json_extract(row.value, '$[1]'), json_extract(row.value, '$[2]')
    FROM (SELECT COALESCE(MAX(seq), 0) AS seq FROM event WHERE rollout = :rollout) AS last,
        json_each(:rows) AS row
"""


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """One rollout as it began: `about` holds its operator, kind, files, batches and flags."""

    id: str
    started: str
    about: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Return the kind: rollout, rollback or undo."""
        return str(self.about["kind"])


class Journal:
    """Appends events and reads them back; for one writing thread."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open a journal; without `read_only`, create it with mode 0600 or migrate it."""
        self.notes: tuple[str, ...] = ()
        """Warnings about files that other users may read."""
        self._path = path
        if read_only:
            self._base = open_for_reading(path)
        else:
            self._base, notes = open_for_writing(path)
            self.notes = tuple(notes)

    def key(self) -> bytes:
        """Return the key of this journal's fingerprints; create it if there is none."""
        return lasting_key(self._path)

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Hold the journal's lock, so that no other fleet changes nodes at the same time.

        `what` is shown to a user whose fleet finds the lock taken; that fleet raises a HeldError.
        The kernel releases the lock when the process ends, however it ends.
        """
        path = self._path.with_name(f"{self._path.name}.lock")
        try:
            descriptor, _ = open_private(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            message = f"{path}: cannot be written ({error.strerror}). Use another with --journal"
            raise FleetError(message) from error
        with os.fdopen(descriptor, "a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                holder = printable(lock.read(500).strip()) or "another run of fleet"
                message = f"{self._path} is in use by {holder}. Wait until it ends"
                raise HeldError(message) from error
            with suppress(OSError):  # the lock itself holds; its text is for the message only
                lock.truncate(0)
                lock.write(what)
                lock.flush()
            yield
            lock.truncate(0)

    def holder(self) -> str | None:
        """Return the text of the lock's holder; None if the lock is free or cannot be read."""
        try:
            with self._path.with_name(f"{self._path.name}.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            lock_file = self._path.with_name(f"{self._path.name}.lock")
            return lock_file.read_text(errors="replace")
        except OSError:
            return None
        return None

    def begin(self, rollout: str, at: str, about: Mapping[str, Any]) -> None:
        """Record a rollout; call this before any of its work begins."""
        values = {"rollout": rollout, "at": at, "about": json.dumps(about)}
        self._write("INSERT INTO rollout VALUES (:rollout, :at, :about)", values)

    def append(
        self, rollout: str, at: str, kind: str, node: str | None, payload: Mapping[str, Any]
    ) -> None:
        """Write one entry; it is on the disk when this returns. Raises a JournalError."""
        self.append_all(rollout, at, [(kind, node, payload)])

    def append_all(
        self, rollout: str, at: str, entries: Iterable[tuple[str, str | None, Mapping[str, Any]]]
    ) -> None:
        """Write several entries at once: all or none of them are on the disk afterwards.

        It is one statement, so that a signal handler can write an entry of its own before or
        after it. It is also only one wait for the disk. Raises a JournalError.
        """
        rows = [(kind, node, json.dumps(payload)) for kind, node, payload in entries]
        self._write(_APPEND, {"rollout": rollout, "at": at, "rows": json.dumps(rows)})

    def _write(self, statement: str, values: Mapping[str, str]) -> None:
        try:
            self._base.execute(statement, values)
        except sqlite3.Error as error:
            raise write_error(self._path, error) from error

    def rollouts(self) -> Iterator[RolloutRecord]:
        """Return all rollouts, the newest first."""
        return self._records("SELECT id, started, about FROM rollout ORDER BY rowid DESC", ())

    def rollout(self, given: str) -> RolloutRecord:
        """Return the rollout that a user names by its ID, by `last` or by a unique prefix.

        Raise a FleetError if none fits or several do.
        """
        names = find_ids(given, self._ids())
        records = [record for name in names for record in self._with_id(name)]
        if len(records) > 1:
            raise ambiguous(given, [_description(record) for record in records])
        for record in records:
            return record
        if given == LAST:
            raise FleetError(f"{self._path}: the journal has no rollout yet")
        raise UnknownRolloutError(
            f"no rollout {given!r} in the journal; `fleet history` lists them"
        )

    def knows(self, name: str) -> bool:
        """Return whether the journal has a rollout with that id."""
        return any(True for _ in self._with_id(name))

    def _with_id(self, name: str) -> Iterator[RolloutRecord]:
        return self._records("SELECT id, started, about FROM rollout WHERE id = ?", (name,))

    def _ids(self) -> list[str]:
        """Return the IDs of all rollouts, the newest first."""
        return [name for (name,) in self._rows("SELECT id FROM rollout ORDER BY rowid DESC", ())]

    def _records(self, query: str, values: tuple[str, ...]) -> Iterator[RolloutRecord]:
        with self.reading():
            rows = self._rows(query, values)
            records = [RolloutRecord(name, at, json.loads(about)) for name, at, about in rows]
        return iter(records)

    def _rows(self, query: str, values: tuple[str, ...]) -> list[tuple[str, ...]]:
        with self.reading():
            if self._base.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                return []  # fleet was killed while it created the journal
            return self._base.execute(query, values).fetchall()

    def entries(self, rollout: str) -> list[JournalEntry]:
        """Return the entries of one rollout in order."""
        from fleet.core.history.replay import JournalEntry  # noqa: PLC0415 - costs completion time

        with self.reading():
            rows = self._base.execute(
                "SELECT at, kind, node, payload FROM event WHERE rollout = ? ORDER BY seq",
                (rollout,),
            )
            return [
                JournalEntry(at, kind, node, json.loads(payload))
                for at, kind, node, payload in rows
            ]

    def roles(self) -> dict[str, tuple[str, ...]]:
        """Return the newest evidence, by node, that it belongs to the control plane or not."""
        from fleet.core.history.replay import (  # noqa: PLC0415
            EntryKind,
            JournalEntry,
            known_roles,
        )

        with self.reading():
            rows = self._base.execute(
                "SELECT at, kind, node, payload FROM event WHERE kind IN ('planned', ?)"
                " ORDER BY rowid",
                (EntryKind.PLANE_ASKED,),
            )
            return known_roles(
                JournalEntry(at, kind, node, json.loads(payload))
                for at, kind, node, payload in rows
            )

    def replayed(self, record: RolloutRecord) -> RolloutHistory:
        """Replay the entries of one rollout."""
        from fleet.core.history.replay import replay_journal  # noqa: PLC0415

        entries = self.entries(record.id)
        with self.reading():
            return replay_journal(record.about["batches"], entries)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raise errors in reading or interpreting entries as a FleetError."""
        with reading(self._path):
            yield


def _description(record: RolloutRecord) -> str:
    """Return a rollout in one line, for a list of candidates."""
    about, message = record.about, record.about.get("flags", {}).get("message")
    text = f"{record.id}  {about.get('kind', '')} by {about.get('operator', '')}"
    return f"{text}: {message}" if message else text
