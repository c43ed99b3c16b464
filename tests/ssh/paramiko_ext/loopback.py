"""Both ends of an SSH connection in this process, with a server that is told what to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)

from fleet.ssh.paramiko_ext.transport import ClientTransport

HOST_KEY, OTHER_KEY, USER_KEY = (paramiko.ECDSAKey.generate() for _ in range(3))


@dataclass
class Login(paramiko.ServerInterface):
    """A server; `keys` gives the result of each key by its bytes, `hang` what is never answered."""

    keys: Mapping[bytes, int] = field(default_factory=dict)
    banner: str = ""
    hang: frozenset[str] = frozenset()
    over: threading.Event = field(default_factory=threading.Event)

    def _answer(self, what: str) -> None:
        if what in self.hang:
            self.over.wait(30)

    def get_banner(self) -> tuple[Any, Any]:
        """Return the message before the login."""
        return (self.banner, "en") if self.banner else (None, None)

    def get_allowed_auths(self, username: str) -> str:
        """Return the methods that are named in a refusal."""
        return "publickey,hostbased"

    def check_auth_none(self, username: str) -> int:
        """Let anybody in."""
        return AUTH_SUCCESSFUL

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Look the key up."""
        self._answer("login")
        return self.keys.get(key.asbytes(), AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Grant every session."""
        self._answer("channel")
        return OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """Reach nothing."""
        return OPEN_FAILED_CONNECT_FAILED


@contextmanager
def loopback(
    login: Login | None = None, *, seconds: float = 20, wire: Any = lambda sock: sock
) -> Iterator[tuple[ClientTransport, paramiko.Transport]]:
    """Return a client after its handshake, and its server; `wire` may wrap the client's socket."""
    server_login = login or Login()
    ours, theirs = socket.socketpair()
    server = paramiko.Transport(theirs)
    server.add_server_key(HOST_KEY)
    server.start_server(threading.Event(), server_login)
    client = ClientTransport(wire(ours), seconds)
    try:
        client.exchange_keys(20)
        yield client, server
    finally:
        server_login.over.set()
        client.close()
        server.close()
