"""A command on a node that waits in between for its other end: it is told when to go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paramiko import Channel, Transport

_CHUNK = 1 << 16
_LAST = b"\nend\t"
"""The last line of every script."""


@dataclass(slots=True)
class Conversation:
    """What has been said so far; `until` waits for a mark at the beginning of a line."""

    channel: Channel
    deadline: float
    heard: bytes = b""
    read: int = 0

    def until(self, mark: str) -> bool:
        """Wait for the next line that begins with `mark`; False where the command ended first.

        A command that has said its last does not end before its input does.
        """
        wanted = f"\n{mark}".encode()
        while (found := self.heard.find(wanted, self.read)) < 0:
            if _LAST in self.heard or not self._more():
                return False
        self.read = found + len(wanted)
        return True

    def go_on(self, word: str = "") -> None:
        """Let the command go on, with a word that it reads."""
        self.channel.sendall(f"{word}\n".encode())

    def end(self, meanwhile: Callable[[], None] | None = None) -> tuple[int, str, str]:
        """Close its input, and return its exit code, output and errors.

        `meanwhile` is called again and again until there is something to read.
        """
        self.channel.shutdown_write()
        while self._more(meanwhile):
            pass
        errors = b""
        while self.channel.recv_stderr_ready():
            errors += self.channel.recv_stderr(_CHUNK)
        code = self.channel.recv_exit_status()
        return code, self.heard.decode("utf-8", "replace"), errors.decode("utf-8", "replace")

    def _more(self, meanwhile: Callable[[], None] | None = None) -> bool:
        while meanwhile and not self._told() and time.monotonic() < self.deadline:
            meanwhile()
        self.channel.settimeout(max(0.01, self.deadline - time.monotonic()))
        part = self.channel.recv(_CHUNK)
        self.heard += part
        return bool(part)

    def _told(self) -> bool:
        channel = self.channel
        return bool(channel.recv_ready() or channel.eof_received or channel.closed)


@contextmanager
def conversation(
    transport: Transport, line: str, stdin: bytes, seconds: float
) -> Iterator[Conversation]:
    """Start a command and leave its input open; it may take `seconds`."""
    with transport.open_session(timeout=seconds) as channel:
        channel.exec_command(line)
        channel.sendall(stdin)
        yield Conversation(channel, time.monotonic() + seconds, b"\n")
