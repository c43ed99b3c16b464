"""A local unix socket that is connected to the input and output of a command on a node."""

from __future__ import annotations

import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paramiko import Channel

_CHUNK = 1 << 15


def _wait_readable(ends: list[Any], seconds: float) -> list[Any]:
    """Return the ends that can be read; select does not support descriptors above 1023."""
    poller = select.poll()
    for end in ends:
        poller.register(end, select.POLLIN)
    descriptors = {number for number, _ in poller.poll(seconds * 1000)}
    return [end for end in ends if end.fileno() in descriptors]


@dataclass(slots=True)
class StdioBridge:
    """A socket that takes one connection; `pump` must be called to carry its bytes.

    `first` holds bytes that came from the command before the connection.
    """

    channel: Channel
    target: str
    listener: socket.socket
    first: bytes
    client: socket.socket | None = None
    ended: bool = False

    def pump(self, seconds: float = 0.02) -> None:
        """Carry the bytes that are ready, and wait at most `seconds` for some."""
        if self.client is None:
            self._accept(seconds)
            return
        ends: list[Any] = [] if self.ended else [self.client, self.channel]
        ready = _wait_readable(ends, seconds)
        try:
            alive = self._carry(self.client, ready)
        except OSError:
            alive = False
        if not alive:
            self._end()

    def _accept(self, seconds: float) -> None:
        if _wait_readable([self.listener], seconds):
            self.client, _ = self.listener.accept()
            self.listener.close()  # further connections are refused at once
            self.client.sendall(self.first)

    def _carry(self, client: socket.socket, ready: list[Any]) -> bool:
        if client in ready:
            part = client.recv(_CHUNK)
            if not part:
                return False
            self.channel.sendall(part)
        if self.channel in ready:
            return self._carry_output(client)
        return True

    def _carry_output(self, client: socket.socket) -> bool:
        if self.channel.recv_stderr_ready():
            self.channel.recv_stderr(_CHUNK)  # sudo's messages; this never waits
        if not self.channel.recv_ready() and not self.channel.eof_received:
            return not self.channel.closed
        part = self.channel.recv(_CHUNK)
        client.sendall(part)
        return bool(part)

    def _end(self) -> None:
        self.ended = True
        if self.client is not None:
            self.client.close()
        self.listener.close()


@contextmanager
def stdio_bridge(channel: Channel, first: bytes) -> Iterator[StdioBridge]:
    """Open a bridge to a running command; only this user can enter its socket's folder."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        path = str(Path(folder) / "node.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            bridge = StdioBridge(channel, f"unix:{path}", listener, first)
            try:
                yield bridge
            finally:
                bridge._end()
