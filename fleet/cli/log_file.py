"""The log: on stderr as far as -v asks for it, and whole in the file that --log names."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from pathlib import Path

from fleet import __version__
from fleet.errors import FleetError
from fleet.home import expanded

LOG = logging.getLogger("fleet")


_PROGRESS = logging.getLogger("fleet.progress")
"""The logger of lines that the terminal shows anyway, such as progress; for the file alone."""


KNOWN: set[str] = set()
"""Secrets that this run has read or asked for; nothing that it shows may repeat them."""


_LEVELS = (logging.CRITICAL, logging.INFO, logging.DEBUG)


class Masking(logging.Formatter):
    """A formatter whose lines hold no control characters and no secret that fleet knows."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, masked."""
        from fleet.core.masking import free_text  # noqa: PLC0415 - only a call that logs pays for it
        from fleet.core.masking.known import without_known  # noqa: PLC0415
        from fleet.errors import printable  # noqa: PLC0415

        text = super().format(record)
        return free_text(printable(without_known(text, KNOWN)))


class _FileHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """A handler that owns its file, which is open already."""

    def close(self) -> None:
        """Close the file too."""
        super().close()
        self.stream.close()


def open_log(verbose: int, path: str | None) -> None:
    """Send the log to stderr and to a file, as the flags ask for it."""
    LOG.setLevel(logging.DEBUG if path else _LEVELS[min(verbose, 2)])
    if verbose:
        handler = logging.StreamHandler()
        handler.setLevel(_LEVELS[min(verbose, 2)])
        handler.addFilter(lambda record: record.name != _PROGRESS.name)
        handler.setFormatter(Masking())
        LOG.addHandler(handler)
    if path:
        LOG.addHandler(_file(expanded(path)))
        LOG.info("fleet %s: %s", __version__, shlex.join(sys.argv[1:]))


def _file(path: Path) -> logging.Handler:
    from fleet.journal import open_private  # noqa: PLC0415 - SQLite costs `--help` nothing

    try:
        descriptor, note = open_private(path, os.O_APPEND | os.O_WRONLY)
        stream = os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")
        handler = _FileHandler(stream)
    except OSError as error:
        raise FleetError(f"--log {path}: cannot be written ({error.strerror})") from error
    if note:
        sys.stderr.write(f"{note}\n")
    handler.setFormatter(Masking())
    return handler


def hide(secret: str) -> None:
    """Mask a secret in every line from now on."""
    if secret:
        KNOWN.add(secret)


def note(text: str) -> None:
    """Log a line that the terminal shows."""
    _PROGRESS.info(text)
