"""Sockets to a node: a TCP connection, or a ProxyCommand's pipes."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from typing import IO

from fleet.core.masking.shown_text import tail
from fleet.ssh.route import Hop

_KEEPALIVE = 5
"""Seconds of silence before the kernel checks whether the peer is still there."""


_PATIENCE = 3
"""The multiple of the connection's timeout after which a dead network is given up."""


_IDLE = 2
"""Seconds between an idle reader's looks at its connection's state. Paramiko's own 0.1 s takes 4 %
of a core with 256 idle connections."""


_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


def dial(hop: Hop, seconds: float) -> socket.socket:
    """Connect to a hop by its addresses in turn, within `seconds`; raise an OSError if all fail.

    The name is looked up once. Small packets leave at once: waiting for an acknowledgement before
    the next one (Nagle) costs 40 ms in every handshake.
    """
    family = _FAMILIES.get(hop.address_family, socket.AF_UNSPEC)
    addresses = socket.getaddrinfo(hop.host, hop.port, family, socket.SOCK_STREAM)
    problem: OSError = OSError("the host name has no address")
    for number, (kind, _, _, _, address) in enumerate(addresses):
        wire = socket.socket(kind, socket.SOCK_STREAM)
        wire.settimeout(seconds / (len(addresses) - number))
        try:
            wire.connect(address)
        except OSError as error:
            wire.close()
            problem = error
        else:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return wire
    raise problem


def watch(wire: object, seconds: float) -> None:
    """Make the kernel notice a dead network; a reader would wait for its command's deadline."""
    if not isinstance(wire, socket.socket):
        return
    wire.settimeout(_IDLE)
    if wire.family == socket.AF_UNIX:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
            wire.setsockopt(socket.IPPROTO_TCP, option, _KEEPALIVE)
        patience = int(_PATIENCE * seconds * 1000)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience)


class ProxiedSocket(socket.socket):
    """One end of a pair of sockets whose other end is a ProxyCommand's input and output.

    Paramiko's own ProxyCommand runs no shell, and spins when the command ends.
    """

    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    closing: threading.Lock
    """Held while the socket closes: Paramiko's own thread closes it at the same time."""
    error_output = ""
    """The text that the command wrote to stderr, once the socket is closed."""

    def close(self) -> None:
        """Close the pair, and end the command; return once its errors are read."""
        with self.closing:
            super().close()
            self._end_command()

    def _end_command(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if not self.errors.closed:
            self.errors.seek(0)
            self.error_output = tail(self.errors.read().decode("utf-8", "replace"))
            self.errors.close()


def proxied(hop: Hop) -> ProxiedSocket:
    """Start a hop's ProxyCommand as OpenSSH does: by exec in a shell.

    It has a session of its own: a Ctrl-C at the terminal must not break the connection to a node
    whose change is in progress.
    """
    local, remote = socket.socketpair()
    wire = ProxiedSocket(fileno=local.detach())
    wire.closing = threading.Lock()
    wire.errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the wire
    with remote:
        wire.process = subprocess.Popen(  # noqa: S603 - the user's own command
            ["/bin/sh", "-c", f"exec {hop.proxy_command}"],
            stdin=remote.fileno(),
            stdout=remote.fileno(),
            stderr=wire.errors,
            start_new_session=True,
        )
    return wire
