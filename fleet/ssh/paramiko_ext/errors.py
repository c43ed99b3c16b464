"""Errors that Paramiko distinguishes by the text of a message or of a log line alone."""

from __future__ import annotations

import logging
import re
import time

_OPEN_FAILED = re.compile(r"channel \d+ open FAILED: (?P<reason>.*: [^:]*)$")


def is_timeout(error: BaseException) -> bool:
    """Return whether an error means that a wait for a login or a channel took too long."""
    return "timeout" in str(error).lower()


def is_banner_error(error: BaseException) -> bool:
    """Return whether the server closed the connection before it sent a valid SSH version."""
    return "banner" in str(error)


class OpenFailures(logging.Handler):
    """A log handler that keeps sshd's reasons for failed channels, each with its time.

    Paramiko's exceptions omit them, and are mixed up if two connections fail at the same time.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._failures: list[tuple[float, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the reason in a record, if it has one."""
        match = _OPEN_FAILED.search(record.getMessage())
        if match:
            self._failures.append((time.monotonic(), match["reason"]))

    def since(self, began: float) -> set[str]:
        """Return the reasons of the channels that have failed since then."""
        return {reason for failed_at, reason in self._failures if failed_at >= began}
