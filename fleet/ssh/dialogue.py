"""A command on a node that waits in between until fleet lets it continue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.ssh.output import Output
from fleet.ssh.session_pool import open_session

if TYPE_CHECKING:
    from paramiko import Channel, Transport

_LAST = b"\nend\t"
"""The last line of every script."""


@dataclass(slots=True)
class InteractiveCommand:
    """A running command and its output; `until` waits for a mark at the beginning of a line."""

    channel: Channel
    deadline: float
    output: Output
    position: int = 0

    @property
    def received(self) -> bytes:
        """Return all output so far."""
        return bytes(self.output.text)

    def wait_for(self, mark: str) -> bool:
        """Wait for the next line that begins with `mark`; return False if the command ended first.

        The last line of a script counts as its end: the command itself ends after its input.
        """
        marker, text, start = f"\n{mark}".encode(), self.output.text, self.position
        overlap = max(len(marker), len(_LAST))
        while (position := text.find(marker, start)) < 0:
            ended = text.find(_LAST, start) >= 0
            start = max(self.position, len(text) - overlap)  # do not search the same text again
            if ended or not self._read_more():
                return False
        self.position = position + len(marker)
        return True

    def received_after_mark(self) -> bytes:
        """Return the output received after the line of the last mark; do not read more."""
        text = self.output.text
        while (end := text.find(b"\n", self.position)) < 0 and self._read_more():
            pass
        return bytes(text[end + 1 :]) if end >= 0 else b""

    def send_line(self, line: str = "") -> None:
        """Continue the command, with a word that it reads."""
        self.channel.sendall(f"{line}\n".encode())

    def finish(self, while_waiting: Callable[[], None] | None = None) -> tuple[int, str, str]:
        """Close the input, and return the exit code, the output and the errors.

        `while_waiting` is called repeatedly until there is something to read.
        """
        self.channel.shutdown_write()
        while self._read_more(while_waiting):
            pass
        code = self.channel.recv_exit_status()
        return code, self.received.decode("utf-8", "replace"), self.output.errors

    def _read_more(self, while_waiting: Callable[[], None] | None = None) -> bool:
        while while_waiting and not self.output.ready and time.monotonic() < self.deadline:
            while_waiting()
        return self.output.read(self.deadline - time.monotonic()) is not None


@contextmanager
def interactive_command(
    transport: Transport, line: str, stdin: bytes, seconds: float
) -> Iterator[InteractiveCommand]:
    """Start a command and leave its input open; it may take `seconds`."""
    with open_session(transport, seconds) as channel:
        channel.exec_command(line)
        channel.sendall(stdin)
        output = Output(channel)
        output.text += b"\n"
        yield InteractiveCommand(channel, time.monotonic() + seconds, output)
