"""HTTP for a node over its own sshd: a port of its loopback that ends on the workstation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.core.failure import FailureKind, NodeError, Step

if TYPE_CHECKING:
    from paramiko import Channel, Transport

Responder = Callable[[bytes], bytes | None]
"""A function from the received part of a request to the response; None until it is complete."""


_LOOPBACK = "127.0.0.1"


_PUMP_SECONDS = 0.02


_MAX_REQUEST = 1 << 16


_CHUNK = 1 << 15


@dataclass(slots=True)
class Service:
    """A port of the node's loopback, and its connections; `pump` must be called to serve them."""

    transport: Transport
    respond: Responder
    port: int
    requests: dict[Channel, bytes] = field(default_factory=dict)

    def pump(self, seconds: float = _PUMP_SECONDS) -> None:
        """Accept a connection if one comes within `seconds`, then serve each connection once."""
        if (channel := self.transport.accept(seconds)) is not None:
            self.requests[channel] = b""
        for client in list(self.requests):
            self._serve(client)

    def _serve(self, channel: Channel) -> None:
        if channel.recv_ready():
            self.requests[channel] += channel.recv(_CHUNK)
        elif channel.closed or channel.eof_received:
            self._end(channel)
            return
        response = self.respond(self.requests[channel])
        if response is not None:
            channel.sendall(response)
        if response is not None or len(self.requests[channel]) > _MAX_REQUEST:
            self._end(channel)

    def _end(self, channel: Channel) -> None:
        channel.close()
        del self.requests[channel]


@contextmanager
def serve(transport: Transport, respond: Responder) -> Iterator[Service]:
    """Open a port on the node; raise a NodeError if sshd forbids it."""
    import paramiko  # noqa: PLC0415

    try:
        port = transport.request_port_forward(_LOOPBACK, 0)
    except paramiko.SSHException as error:
        if not transport.is_active():
            raise
        message = "the node's sshd does not forward a port to this workstation"
        remedy = (
            "set AllowTcpForwarding to yes or remote for this user (see DisableForwarding and"
            " PermitListen too)"
        )
        raise NodeError(FailureKind.UNSUPPORTED, Step.FORWARD, message, remedy) from error
    yield Service(transport, respond, port)
    transport.cancel_port_forward(_LOOPBACK, port)
