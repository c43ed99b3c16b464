"""TCP connections that a node's sshd opens for fleet, without a process on the node."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleet.core.mirrors.check import Trouble, WireError
from fleet.ssh.forward.tls import TunnelSocket
from fleet.ssh.paramiko_ext.errors import OpenFailures, is_timeout

if TYPE_CHECKING:
    from paramiko import Channel, Transport

_TRIES = 3


_WORDS = (
    ("administratively prohibited", Trouble.PROHIBITED),
    ("refused", Trouble.REFUSED),
    ("timed out", Trouble.TIMEOUT),
    ("resol", Trouble.NO_DNS),
    ("not known", Trouble.NO_DNS),
    ("no address", Trouble.NO_DNS),
)


class Tunnel:
    """A tunnel that opens connections from a node, over the existing SSH connection."""

    def __init__(self, transport: Transport, failures: OpenFailures) -> None:
        self._transport, self._failures = transport, failures

    def dial(self, host: str, port: int, seconds: float) -> TunnelSocket:
        """Connect from the node within `seconds`; raise a WireError with the reason."""
        deadline = time.monotonic() + seconds
        words: set[str] = set()
        for _ in range(_TRIES):
            began = time.monotonic()
            channel = self._open(host, port, deadline - began)
            if channel is not None:
                return TunnelSocket(channel)
            words = self._failures.since(began)
            # Two simultaneous failures cannot be told apart, so the connection is tried again.
            if len(words) == 1 or time.monotonic() >= deadline:
                break
        raise _wire_error(words.pop() if len(words) == 1 else "connection failed")

    def _open(self, host: str, port: int, seconds: float) -> Channel | None:
        import paramiko  # noqa: PLC0415

        try:
            return self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=max(0.1, seconds)
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            if not self._transport.is_active():
                raise WireError(Trouble.CLOSED, "the SSH connection was lost") from error
            if is_timeout(error):
                raise WireError(Trouble.TIMEOUT) from error
            return None


@contextmanager
def tunnel(transport: Transport) -> Iterator[Tunnel]:
    """Open a tunnel over an SSH connection, and read sshd's reasons from Paramiko's log."""
    failures = OpenFailures()
    log = logging.getLogger(f"{transport.get_log_channel()}.tunnel")
    log.setLevel(min(logging.ERROR, log.getEffectiveLevel()))
    log.addHandler(failures)
    transport.set_log_channel(log.name)
    try:
        yield Tunnel(transport, failures)
    finally:
        log.removeHandler(failures)


def _wire_error(words: str) -> WireError:
    lower = words.lower()
    kind = next((trouble for word, trouble in _WORDS if word in lower), Trouble.UNREACHABLE)
    return WireError(kind, words.removesuffix(": Connect failed"))
