"""Opening of the journal's SQLite file, and the errors of one that cannot be opened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.errors import FleetError, JournalError
from fleet.journal.private_files import open_private, private_folder, tighten

_OTHER_JOURNAL = "Use another file with --journal FILE"
_COMPANIONS = ("-wal", "-shm")
SCHEMAS = (
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
"""The additions of each schema to the one before; `PRAGMA user_version` counts them."""


def damaged(path: Path, detail: object) -> FleetError:
    """Return the error for a journal with invalid content."""
    return FleetError(
        f"{path}: the journal is damaged ({detail}). Move it away with its -wal and -shm files; the"
        " next rollout begins a new one. A rollback needs only what is saved on the nodes"
    )


def unusable(path: Path, error: OSError | sqlite3.Error) -> FleetError:
    """Return the user's message for an error of the file system or of SQLite."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT")):
        return damaged(path, error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return FleetError(f"{path}: another program has locked the journal. Wait until it ends")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    if name.startswith("SQLITE_READONLY"):
        reason = "the file or its folder is read-only"
    return FleetError(f"{path}: the journal cannot be opened ({reason}). {_OTHER_JOURNAL}")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise errors in reading a journal as a FleetError that names its path."""
    try:
        yield
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(path, f"{type(error).__name__} in an entry") from error


def write_error(path: Path, error: sqlite3.Error) -> FleetError:
    """Return the error for an entry that could not be written: the rollout must stop."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        remedy = "Move it away with its -wal and -shm files"
    elif name.startswith("SQLITE_READONLY"):
        remedy = "Make its file system and folder writable again"
    else:
        remedy = f"Check for free space with `df -h {path}`"
    return JournalError(f"{path}: the journal cannot be written ({error}). {remedy}")


def is_there(path: Path) -> bool:
    """Return whether a file of any kind is at the path; raise if that cannot be determined."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unusable(path, error) from error
    return True


def open_for_writing(path: Path) -> tuple[sqlite3.Connection, list[str]]:
    """Open a journal, creating or migrating it; return it with warnings about file modes."""
    try:
        notes = [*private_folder(path.parent), *_make_private(path)]
        base = sqlite3.connect(path, isolation_level=None)
        try:
            _check_schema(path, base)
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA synchronous = FULL")
            _migrate(base)
        except BaseException:
            base.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error
    return base, notes


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal without changing anything; on a read-only file system as well."""
    try:
        _refuse_irregular(path)
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        try:
            return _read_only(path, "mode=ro")
        except sqlite3.OperationalError:
            if _has_pending_writes(path):
                raise
            return _read_only(path, "mode=ro&immutable=1")
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error


def _read_only(path: Path, query: str) -> sqlite3.Connection:
    base = sqlite3.connect(f"{path.absolute().as_uri()}?{query}", uri=True, isolation_level=None)
    try:
        _check_schema(path, base)
    except BaseException:
        base.close()
        raise
    return base


def _has_pending_writes(path: Path) -> bool:
    """Return whether the write-ahead log has entries, which an immutable opening would ignore."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _refuse_irregular(path: Path) -> None:
    if path.is_dir():
        raise FleetError(f"{path}: a folder, not a journal. {_OTHER_JOURNAL}")
    if path.exists() and not path.is_file():
        raise FleetError(f"{path}: not a regular file, so not a journal. {_OTHER_JOURNAL}")


def _make_private(path: Path) -> Iterator[str]:
    """Remove other users' access to the journal's files; new ones get the mode of the first."""
    _refuse_irregular(path)
    descriptor, note = open_private(path, os.O_RDWR)
    os.close(descriptor)
    notes = [note, *(tighten(path.with_name(f"{path.name}{end}")) for end in _COMPANIONS)]
    yield from filter(None, notes)


def _check_schema(path: Path, base: sqlite3.Connection) -> None:
    """Raise if a journal is damaged or of a newer fleet, or if a file is not a journal."""
    for (word,) in base.execute("PRAGMA quick_check(1)"):
        if word != "ok":
            raise damaged(path, word)
    (version,) = base.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in base.execute("SELECT name FROM sqlite_master")}
    if version > len(SCHEMAS):
        raise FleetError(
            f"{path}: the journal was written by a newer fleet (schema {version}, this fleet reads"
            f" {len(SCHEMAS)}). Upgrade fleet, or use another file with --journal FILE"
        )
    if tables and (version == 0 or not {"rollout", "event"} <= tables):
        raise FleetError(f"{path}: a database of another program, not a journal. {_OTHER_JOURNAL}")
    if version and not tables:
        raise damaged(path, "its tables are missing")


def _migrate(base: sqlite3.Connection) -> None:
    (version,) = base.execute("PRAGMA user_version").fetchone()
    for number, script in enumerate(SCHEMAS[version:], version + 1):
        base.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
