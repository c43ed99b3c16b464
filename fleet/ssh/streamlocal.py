"""A unix socket of a node as one of this machine: OpenSSH's direct-streamlocal.

Paramiko has no words for that kind of channel, so its message is written here by hand (PROTOCOL of
OpenSSH, section 2.4). One loop carries the bytes, on the thread of the caller.
"""

from __future__ import annotations

import select
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.outcome import FailureKind, NodeError
from fleet.ssh.shared import flag

if TYPE_CHECKING:
    from paramiko import Channel, Transport

_KIND = "direct-streamlocal@openssh.com"
_CHUNK = 1 << 15
_PROHIBITED = 1
_PAUSE = 0.05
_SECONDS = 3


def open_stream(transport: Transport, path: str, seconds: float) -> Channel:
    """Connect to a unix socket of the node; raise a NodeError where its sshd will not.

    Nobody may listen there yet: that is tried again for `seconds`.
    """
    import paramiko  # noqa: PLC0415

    until = time.monotonic() + seconds
    while True:
        try:
            return _opened(transport, path, seconds)
        except paramiko.SSHException as error:
            closed = isinstance(error, paramiko.ChannelException) and error.code == _PROHIBITED
            if closed or not transport.is_active() or time.monotonic() > until:
                message = (
                    f"the node's sshd does not lead to {path} ({error}); set"
                    " AllowStreamLocalForwarding to yes or local for this login"
                )
                raise NodeError(FailureKind.UNSUPPORTED, "forward", message) from error
        time.sleep(_PAUSE)


def _opened(transport: Transport, path: str, seconds: float) -> Channel:
    """Open the channel, as Paramiko's own open_channel does it for the kinds that it knows."""
    import paramiko  # noqa: PLC0415
    from paramiko.common import cMSG_CHANNEL_OPEN  # noqa: PLC0415

    inside: Any = transport
    window, packet = inside._sanitize_window_size(None), inside._sanitize_packet_size(None)
    with inside.lock:
        number = inside._next_channel()
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_OPEN)
        message.add_string(_KIND)
        for each in (number, window, packet):
            message.add_int(each)
        message.add_string(path)
        message.add_string("")
        message.add_int(0)
        channel: Any = paramiko.Channel(number)
        inside._channels.put(number, channel)
        inside.channel_events[number] = answered = flag()
        inside.channels_seen[number] = True
        channel._set_transport(transport)
        channel._set_window(window, packet)
    inside._send_user_message(message)
    until = time.monotonic() + seconds
    while not answered.wait(0.1) and transport.is_active() and time.monotonic() < until:
        pass
    found: Channel | None = inside._channels.get(number) if answered.is_set() else None
    if found is None:
        raise inside.get_exception() or paramiko.SSHException("no answer")
    return found


@dataclass(slots=True)
class Bridge:
    """A unix socket here that ends at one of the node's; it lives as `turn` is called."""

    transport: Transport
    path: str
    target: str
    listener: socket.socket
    spare: Channel | None
    pairs: list[tuple[socket.socket, Channel]] = field(default_factory=list)

    def turn(self, seconds: float = 0.02) -> None:
        """Carry what there is to carry, and wait at most `seconds` for it."""
        ends = [self.listener, *(end for pair in self.pairs for end in pair)]
        ready, _, _ = select.select(ends, [], [], seconds)
        if self.listener in ready:
            ours, _ = self.listener.accept()
            channel = self.spare or open_stream(self.transport, self.path, _SECONDS)
            self.spare = None
            self.pairs.append((ours, channel))
        for ours, channel in list(self.pairs):
            try:
                alive = self._carried(ours, channel, ready)
            except OSError:
                alive = False
            if not alive:
                self._end(ours, channel)

    def _carried(self, ours: socket.socket, channel: Channel, ready: list[Any]) -> bool:
        if ours in ready:
            part = ours.recv(_CHUNK)
            if not part:
                return False
            channel.sendall(part)
        if channel in ready:
            part = channel.recv(_CHUNK)
            if not part:
                return False
            ours.sendall(part)
        return True

    def _end(self, ours: socket.socket, channel: Channel) -> None:
        ours.close()
        channel.close()
        self.pairs.remove((ours, channel))

    def close(self) -> None:
        """End every connection."""
        for ours, channel in list(self.pairs):
            self._end(ours, channel)
        if self.spare is not None:
            self.spare.close()


@contextmanager
def bridge(transport: Transport, path: str) -> Iterator[Bridge]:
    """Lead to a unix socket of the node, from a folder that only this user can enter."""
    # A refusal is better known at once; and a relay may end with its first connection.
    spare = open_stream(transport, path, _SECONDS)
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        place = str(Path(folder) / "node.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place)
            listener.listen(4)
            found = Bridge(transport, path, f"unix:{place}", listener, spare)
            try:
                yield found
            finally:
                found.close()
