"""A login in one round trip: what is sent, and what the server's answers become."""

from __future__ import annotations

import socket
import threading
from typing import Any

import paramiko
import pytest
from paramiko.common import AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL

from fleet.ssh.paramiko_ext.auth import EagerAuth, certificate_blob
from fleet.ssh.paramiko_ext.errors import is_timeout
from tests.ssh.paramiko_ext.loopback import OTHER_KEY, USER_KEY, Login, loopback


class GatedWire:
    """A socket that counts what is sent, and can keep what is received from the reader."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self.sent = 0
        self.open = threading.Event()
        self.open.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def send(self, data: bytes) -> int:
        self.sent += 1
        return self._wire.send(data)

    def recv(self, size: int) -> bytes:
        if not self.open.is_set():
            self.open.wait(0.1)
            raise TimeoutError
        return self._wire.recv(size)


def test_the_signed_request_is_sent_before_the_service_is_granted() -> None:
    login = Login({USER_KEY.asbytes(): AUTH_SUCCESSFUL})
    with loopback(login, wire=GatedWire) as (client, _):
        wire: Any = client.sock
        wire.open.clear()
        handler, answered, before = EagerAuth(client), threading.Event(), wire.sent
        handler.auth_publickey("ops", USER_KEY, answered)

        assert wire.sent == before + 2
        assert not client.is_authenticated()
        wire.open.set()
        assert answered.wait(10)
        assert client.is_authenticated()


def test_a_refusal_names_the_methods_and_another_key_can_follow() -> None:
    login = Login({USER_KEY.asbytes(): AUTH_SUCCESSFUL}, banner="authorized use only")
    with loopback(login) as (client, _):
        refused = EagerAuth(client)
        with pytest.raises(paramiko.AuthenticationException):
            refused.log_in("ops", OTHER_KEY)

        assert refused.allowed_methods == ("publickey", "hostbased")
        assert refused.banner_text == "authorized use only"
        accepted = EagerAuth(client)
        assert accepted.log_in("ops", USER_KEY) == []
        assert accepted.banner_text == refused.banner_text
        assert client.is_authenticated()


def test_a_key_that_is_not_enough_returns_what_else_is_required() -> None:
    login = Login({USER_KEY.asbytes(): AUTH_PARTIALLY_SUCCESSFUL})
    with loopback(login) as (client, _):
        handler = EagerAuth(client)

        assert handler.log_in("ops", USER_KEY) == ["publickey", "hostbased"]
        assert handler.allowed_methods == ("publickey", "hostbased")
        assert not client.is_authenticated()


def test_a_login_that_is_not_answered_is_a_timeout() -> None:
    login = Login(hang=frozenset({"login"}))
    with (
        loopback(login, seconds=0.5) as (client, _),
        pytest.raises(paramiko.AuthenticationException) as caught,
    ):
        EagerAuth(client).log_in("ops", USER_KEY)

    assert is_timeout(caught.value)


def test_a_key_without_a_certificate_has_none() -> None:
    assert certificate_blob(USER_KEY) is None
