"""Files and folders that only their owner can read: the journal, its key, logs and reports."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS = 0o077
FOLDER = ".fleet"
"""The folder beside the inventory; any other one belongs to the user, who sets its mode."""


def private_folder(path: Path) -> Iterator[str]:
    """Create a folder with mode 0700; yield a warning if other users can still open it."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    if path.name == FOLDER and stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        try:
            path.chmod(0o700)
        except OSError as error:
            yield _exposure_warning(path, error)


def open_private(path: Path, flags: int) -> tuple[int, str]:
    """Open a file with mode 0600; return its descriptor, and a warning or an empty text.

    An existing file loses the access of other users. A path that is not a regular file, such as
    /dev/stdout, keeps its mode.
    """
    descriptor = _open_without_foreign_links(path, flags | os.O_CREAT | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or not stat.S_IMODE(status.st_mode) & _OTHERS:
        return descriptor, ""
    try:
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & ~_OTHERS)
    except OSError as error:
        return descriptor, _exposure_warning(path, error)
    return descriptor, ""


def _open_without_foreign_links(path: Path, flags: int) -> int:
    """Open a file; do not follow a link of another user, which could lead to any of our files."""
    try:
        follow = path.is_symlink() and path.lstat().st_uid in {0, os.geteuid()}
        return os.open(path, flags if follow else flags | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link made by another user") from error
        raise


def tighten(path: Path) -> str:
    """Remove other users' access to an existing file; return a warning or an empty text."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & _OTHERS:
            os.fchmod(descriptor, mode & ~_OTHERS)
    except OSError as error:
        return _exposure_warning(path, error)
    finally:
        os.close(descriptor)
    return ""


def write_private(path: Path, text: str) -> str:
    """Write a file with mode 0600; return a warning about its mode or an empty text."""
    descriptor, note = open_private(path, os.O_WRONLY | os.O_TRUNC)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return note


def _exposure_warning(path: Path, error: OSError) -> str:
    return (
        f"warning: other users can open {path}, and its mode cannot be changed"
        f" ({error.strerror}). Run `chmod go= {path}` as its owner"
    )
