"""The output of a remote command: both streams, read as they arrive, up to a limit."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.ssh.paramiko_ext.channel import on_output

if TYPE_CHECKING:
    from paramiko import Channel

MAX_BYTES = 32 << 20
"""Bytes that one command may write to both streams: far more than any probe of a real node."""
_CHUNK = 1 << 16
_MAX_ERRORS = 1 << 18
"""Bytes of stderr that are kept, the last ones."""


class Output:
    """The output of a command so far.

    Both streams are read, because an unread one stops the command once SSH's window is full.
    """

    def __init__(self, channel: Channel) -> None:
        self.text = bytearray()
        self._channel = channel
        self._errors = bytearray()
        self._size = 0
        self._arrived = _Signal()
        on_output(channel, self._arrived)

    @property
    def errors(self) -> str:
        """Return the end of stderr."""
        return self._errors.decode("utf-8", "replace")

    @property
    def ready(self) -> bool:
        """Return whether there is output to read, or the output has ended."""
        channel = self._channel
        ready = channel.recv_ready() or channel.recv_stderr_ready()
        return bool(ready or channel.eof_received or channel.closed)

    def read(self, seconds: float) -> bytes | None:
        """Wait for more output; return its stdout, or None once the output has ended.

        Raise a TimeoutError after `seconds`, and a NodeError for a node that writes without end.
        """
        until = time.monotonic() + seconds
        while True:
            self._arrived.forget()
            ended = self._channel.eof_received or self._channel.closed
            if self._channel.recv_stderr_ready():
                self._keep_errors(self._channel.recv_stderr(_CHUNK))
                return b""
            if self._channel.recv_ready():
                part = bytes(self._channel.recv(_CHUNK))
                self._count_bytes(part)
                self.text += part
                return part
            if ended:
                return None
            if not self._arrived.wait(max(0.01, until - time.monotonic())):
                raise TimeoutError

    def _keep_errors(self, part: bytes) -> None:
        self._count_bytes(part)
        self._errors += part
        del self._errors[:-_MAX_ERRORS]

    def _count_bytes(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > MAX_BYTES:
            message = f"the node sent more than {MAX_BYTES >> 20} MiB"
            remedy = "look for large files below its config_path, and for output of its login shell"
            raise NodeError(FailureKind.PROTOCOL, Step.RUN, message, remedy)


class _Signal:
    """An event shared by two streams; an emptied stream must not clear it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Wake the waiting thread: a stream has data or has ended."""
        self._event.set()

    def clear(self) -> None:
        """Do nothing: the other stream may still have data."""

    def forget(self) -> None:
        """Clear the event before the next wait."""
        self._event.clear()

    def wait(self, seconds: float) -> bool:
        """Wait for either stream; return False after `seconds`."""
        return self._event.wait(seconds)
