"""The key of fingerprints: 32 random bytes in a file beside the journal.

Fingerprints that are made with this key show whether a secret has changed. Without it they show
nothing, and those of two journals cannot be compared.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from fleet.errors import FleetError
from fleet.journal.private_files import tighten

_NAME = "fingerprint.key"
_BYTES = 32


def passing_key() -> bytes:
    """Return a key for this run only, for a command without a journal's key."""
    return secrets.token_bytes(_BYTES)


def read_key(journal: Path) -> bytes | None:
    """Return the key beside a journal; None if there is none or it cannot be read."""
    try:
        return _read_checked(journal.with_name(_NAME))
    except OSError:
        return None


def lasting_key(journal: Path) -> bytes:
    """Return the key beside a journal; create it if there is none.

    If several fleets create it at the same time, all get the same key: the first complete file
    takes the name, and none replaces it.
    """
    path = journal.with_name(_NAME)
    try:
        if not path.exists():
            _create(path)
        note = tighten(path)
        key = _read_checked(path)
    except OSError as error:
        message = (
            f"{path}: the key of fingerprints cannot be stored there ({error.strerror}). Fix that,"
            " or choose another place with --journal FILE"
        )
        raise FleetError(message) from error
    if note:  # with the key, passwords can be tried against a fingerprint
        raise FleetError(note.removeprefix("warning: "))
    return key


def _read_checked(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _BYTES:
        message = f"{path}: not a key of {_BYTES} bytes. Remove it: fleet creates a new one"
        raise FleetError(message)
    return key


def _create(path: Path) -> None:
    draft = path.with_name(f".{_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
