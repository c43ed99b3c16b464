"""The key of fingerprints: 32 random bytes in a file beside the journal.

Fingerprints of secrets that were made with it say whether a secret has changed. Without it they
say nothing, and those of two journals cannot be compared.
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
    """Return a key for this run alone, where there is no journal to keep one beside."""
    return secrets.token_bytes(_BYTES)


def read_key(journal: Path) -> bytes | None:
    """Return the key beside a journal; None where there is none, or none that can be read."""
    try:
        return _checked(journal.with_name(_NAME))
    except OSError:
        return None


def lasting_key(journal: Path) -> bytes:
    """Return the key beside a journal; make one where there is none.

    Of several fleets that make one at the same time all get the same: the first that is whole
    takes the name, and no other replaces it.
    """
    path = journal.with_name(_NAME)
    try:
        if not path.exists():
            _make(path)
        note = tighten(path)
        key = _checked(path)
    except OSError as error:
        message = (
            f"{path}: the key of fingerprints cannot be kept there ({error.strerror}); mend that,"
            " or name another place with --journal"
        )
        raise FleetError(message) from error
    if note:  # who knows the key can try passwords against a fingerprint
        raise FleetError(note.removeprefix("warning: "))
    return key


def _checked(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _BYTES:
        raise FleetError(f"{path}: is not a key of {_BYTES} bytes; remove it, a new one is made")
    return key


def _make(path: Path) -> None:
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
