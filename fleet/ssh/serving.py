"""HTTP for a node, through its own sshd: a port of its loopback that ends on the workstation.

One loop does all of it, on the thread of the caller: the answers are tiny, and are in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.core.outcome import FailureKind, NodeError

if TYPE_CHECKING:
    from paramiko import Channel, Transport

Answerer = Callable[[bytes], bytes | None]
"""From what came of a request so far to the whole answer; None while it is not complete."""
_LOOPBACK = "127.0.0.1"
_TICK = 0.02
_MOST = 1 << 16
_CHUNK = 1 << 15


@dataclass(frozen=True, slots=True)
class Call:
    """A command whose input is made for a port that only the node's sshd can choose."""

    line: str
    stdin: Callable[[int], bytes]
    seconds: float


@dataclass(slots=True)
class _Service:
    """The connections that are open, with what each has asked so far."""

    transport: Transport
    answer: Answerer
    asked: dict[Channel, bytes] = field(default_factory=dict)

    def turn(self) -> None:
        """Take a new connection if there is one, then let every connection have its turn."""
        if (channel := self.transport.accept(_TICK)) is not None:
            self.asked[channel] = b""
        for each in list(self.asked):
            self._serve(each)

    def _serve(self, channel: Channel) -> None:
        if channel.recv_ready():
            self.asked[channel] += channel.recv(_CHUNK)
        elif channel.closed or channel.eof_received:
            self._end(channel)
            return
        said = self.answer(self.asked[channel])
        if said is not None:
            channel.sendall(said)
        if said is not None or len(self.asked[channel]) > _MOST:
            self._end(channel)

    def _end(self, channel: Channel) -> None:
        channel.close()
        del self.asked[channel]


def run_serving(transport: Transport, call: Call, answer: Answerer) -> tuple[int, str, str]:
    """Run the command, and serve until it ends; return its exit code, output and errors.

    Raises a NodeError where sshd forbids the port.
    """
    import paramiko  # noqa: PLC0415

    deadline = time.monotonic() + call.seconds
    try:
        port = transport.request_port_forward(_LOOPBACK, 0)
    except paramiko.SSHException as error:
        if not transport.is_active():
            raise
        message = (
            "the node's sshd lets no port be forwarded to us: set AllowTcpForwarding to yes or"
            " remote for this login (see DisableForwarding and PermitListen too)"
        )
        raise NodeError(FailureKind.UNSUPPORTED, "forward", message) from error
    service = _Service(transport, answer)
    with transport.open_session(timeout=call.seconds) as channel:
        channel.exec_command(call.line)
        channel.sendall(call.stdin(port))
        channel.shutdown_write()
        stdout = b""
        while not (channel.exit_status_ready() and channel.eof_received):
            service.turn()
            while channel.recv_ready():
                stdout += channel.recv(_CHUNK)
            if time.monotonic() > deadline:
                raise TimeoutError
        while part := channel.recv(_CHUNK):
            stdout += part
        stderr = channel.recv_stderr(_CHUNK) if channel.recv_stderr_ready() else b""
        code = channel.recv_exit_status()
    transport.cancel_port_forward(_LOOPBACK, port)
    return code, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace")
