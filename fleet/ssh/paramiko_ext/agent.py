"""The keys of an SSH agent at any socket."""

from __future__ import annotations

import socket
from typing import Any

from paramiko.agent import AgentKey, AgentSSH

from fleet.ssh.cache import one_at_a_time

_SECONDS = 30
"""Seconds that an agent may take to answer; some ask their user before they sign."""

_Base: Any = AgentSSH  # its type stub lacks the private methods


class _Agent(_Base):  # type: ignore[misc]
    """An agent at a socket; it answers one request at a time.

    Paramiko's own Agent finds its socket in the environment alone.
    """

    _send_message = one_at_a_time(_Base._send_message)

    def __init__(self, path: str) -> None:
        super().__init__()
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(_SECONDS)
        wire.connect(path)
        self._connect(wire)


def agent_keys(path: str) -> tuple[AgentKey, ...]:
    """Return an agent's keys, over a connection that all of them share to sign.

    Raise an OSError or an SSHException if no agent answers at `path`.
    """
    return tuple(_Agent(path).get_keys())
