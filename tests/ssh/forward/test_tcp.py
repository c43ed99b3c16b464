"""TCP connections that a node opens: bytes both ways, and the reason of one that it cannot open."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.mirrors.check import Trouble, WireError
from fleet.ssh import Remote, connect
from tests.support.ssh_server import Answer, SshServer, in_turn, ssh_server
from tests.support.tcp_server import tcp_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path, in_turn(Answer("hi"))) as running:
        yield running


@pytest.fixture
def remote(server: SshServer) -> Iterator[Remote]:
    with connect(server.node, server.settings) as connected:
        yield connected


@pytest.fixture
def echo() -> Iterator[int]:
    """Serve a port that sends back in capitals what it reads."""

    def answer(wire: socket.socket) -> None:
        while part := wire.recv(4096):
            wire.sendall(part.upper())

    with tcp_server(answer) as port:
        yield port


def test_bytes_go_to_a_place_that_the_node_reaches(remote: Remote, echo: int) -> None:
    with remote.tunnel() as tunnel:
        wire = tunnel.dial("127.0.0.1", echo, 10)
        wire.set_deadline(10)
        wire.sendall(b"hello")

        assert wire.recv(99) == b"HELLO"
        wire.close()


def test_several_connections_do_not_mix(remote: Remote, echo: int) -> None:
    with remote.tunnel() as tunnel:
        wires = [tunnel.dial("127.0.0.1", echo, 10) for _ in range(3)]
        for number, wire in enumerate(wires):
            wire.set_deadline(10)
            wire.sendall(f"n{number}".encode())

        assert [wire.recv(9) for wire in wires] == [b"N0", b"N1", b"N2"]
        for wire in wires:
            wire.close()


def test_a_port_that_refuses_is_an_error_with_its_reason(remote: Remote) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with remote.tunnel() as tunnel, pytest.raises(WireError) as raised:
        tunnel.dial("127.0.0.1", port, 10)

    # The server of the test gives no more of a reason than that it could not connect.
    assert raised.value.trouble is Trouble.UNREACHABLE


def test_an_sshd_that_forbids_it_is_an_error_at_once(remote: Remote) -> None:
    with remote.tunnel() as tunnel, pytest.raises(WireError) as raised:
        tunnel.dial("192.0.2.1", 80, 10)

    assert raised.value.trouble is Trouble.PROHIBITED


def test_a_node_that_is_gone_is_an_error_at_once(server: SshServer, echo: int) -> None:
    with connect(server.node, server.settings) as remote, remote.tunnel() as tunnel:
        wire = tunnel.dial("127.0.0.1", echo, 10)
        wire.set_deadline(10)
        remote.close()  # type: ignore[attr-defined]

        with pytest.raises(WireError) as raised:
            tunnel.dial("127.0.0.1", echo, 10)

    assert raised.value.trouble is Trouble.CLOSED


def test_commands_go_on_beside_a_tunnel(remote: Remote, echo: int) -> None:
    with remote.tunnel() as tunnel:
        tunnel.dial("127.0.0.1", echo, 10).close()

        assert remote.run("x", stdin=b"", seconds=20).stdout == "hi"
