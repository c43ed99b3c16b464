"""Safe standard streams: closed ones, broken pipes, and terminals that lack characters.

Work on nodes must not stop half-way because nothing reads the output any more. The rest of the
output is dropped, the work goes on, and the exit code is that of the work.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

_WIDEST = 10_000
_LOST: dict[str, OSError] = {}
"""Streams that cannot be written any more, and the error of each."""


def settle_streams() -> None:
    """Replace the standard streams of this process by ones that never raise."""
    for name in ("COLUMNS", "LINES"):
        if not _is_size(os.environ.get(name, "1")):
            del os.environ[name]
    for number in range(3):
        _open_if_closed(number)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
    sys.stdout = _as_safe(sys.stdout, sys.__stdout__, 1, "stdout")
    sys.stderr = _as_safe(sys.stderr, sys.__stderr__, 2, "stderr")


def lost_streams() -> dict[str, str]:
    """Return the streams whose output was dropped, with the reason."""
    return {name: error.strerror or str(error) for name, error in _LOST.items()}


def write_failed() -> bool:
    """Return whether stdout was lost by a fault such as a full disk, not by its reader leaving."""
    return any(error.errno != errno.EPIPE for name, error in _LOST.items() if name == "stdout")


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < _WIDEST


def _open_if_closed(number: int) -> None:
    """Open a closed stream on /dev/null, so that no journal or socket gets its number."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def _as_safe(now: TextIO | None, first: TextIO | None, number: int, name: str) -> TextIO:
    """Return a stream that drops what cannot be written; keep a stream that a caller has set."""
    if now is not None and now is not first:
        return now
    with suppress(OSError, ValueError):
        if now is not None:
            now.flush()
    encoding = getattr(now, "encoding", None) or "utf-8"
    buffer = io.BufferedWriter(_SafeStream(number, name))
    return io.TextIOWrapper(buffer, encoding, "backslashreplace", line_buffering=True)


class _SafeStream(io.RawIOBase):
    """The bytes of one stream; once they cannot be written, they are dropped."""

    def __init__(self, number: int, name: str) -> None:
        self._number, self.name = number, f"<{name}>"
        self._key = name

    def writable(self) -> bool:
        """Return whether the stream can be written."""
        return True

    def fileno(self) -> int:
        """Return the number of the stream."""
        return self._number

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return os.isatty(self._number)

    def write(self, content: object) -> int:
        """Write some of the bytes; after the first failure drop all of them."""
        data = memoryview(content)  # type: ignore[arg-type]
        if self._key not in _LOST:
            try:
                return os.write(self._number, data)
            except OSError as error:
                _LOST[self._key] = error
        return len(data)
