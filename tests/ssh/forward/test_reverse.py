"""A port on the node that the workstation serves: its requests, and their limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.ssh import connect
from fleet.ssh.forward.reverse import Service
from tests.support.ssh_server import Answer, SshServer, in_turn, ssh_server


@contextmanager
def service(folder: Path, respond: Any) -> Iterator[tuple[Service, SshServer]]:
    """Serve requests on a port of a node by `respond`."""
    with (
        ssh_server(folder, in_turn(Answer()), forwards=True) as server,
        connect(server.node, server.settings) as remote,
        remote.serve_http(respond, 20) as running,
    ):
        yield running, server


def whole(request: bytes) -> bytes | None:
    """Answer a request once its head is complete."""
    return b"got " + request if request.endswith(b"\r\n\r\n") else None


def received(channel: Any, running: Service) -> bytes:
    """Pump the service until it closes a channel; return what it sent."""
    until = time.monotonic() + 10
    while not channel.eof_received and time.monotonic() < until:
        running.pump()
    return channel.recv(1 << 20)


def test_a_request_is_answered_once_it_is_complete(tmp_path: Path) -> None:
    with service(tmp_path, whole) as (running, server):
        channel = server.call(running.port)
        channel.sendall(b"GET / HT")
        for _ in range(3):
            running.pump()
        channel.sendall(b"TP/1.1\r\n\r\n")

        assert received(channel, running) == b"got GET / HTTP/1.1\r\n\r\n"
        assert running.requests == {}


def test_requests_are_served_side_by_side(tmp_path: Path) -> None:
    with service(tmp_path, whole) as (running, server):
        channels = [server.call(running.port) for _ in range(3)]
        for number, channel in enumerate(channels):
            channel.sendall(f"{number}\r\n\r\n".encode())

        assert [received(channel, running) for channel in channels] == [
            b"got 0\r\n\r\n",
            b"got 1\r\n\r\n",
            b"got 2\r\n\r\n",
        ]


def test_a_caller_that_hangs_up_is_forgotten(tmp_path: Path) -> None:
    with service(tmp_path, whole) as (running, server):
        server.call(running.port).close()

        until = time.monotonic() + 10
        running.pump(5)
        while running.requests and time.monotonic() < until:
            running.pump()

        assert running.requests == {}


def test_a_request_without_an_end_is_given_up(tmp_path: Path) -> None:
    with service(tmp_path, whole) as (running, server):
        channel = server.call(running.port)
        channel.sendall(b"x" * ((1 << 16) + 1))

        assert received(channel, running) == b""
        assert running.requests == {}


def test_the_port_is_closed_at_the_end(tmp_path: Path) -> None:
    with service(tmp_path, whole) as (running, server):
        assert server.ports == [running.port]

    assert server.ports == []


def test_a_node_that_forwards_no_port_is_a_failure(tmp_path: Path) -> None:
    with (
        ssh_server(tmp_path, in_turn(Answer())) as server,
        connect(server.node, server.settings) as remote,
        pytest.raises(NodeError) as raised,
        remote.serve_http(whole, 20),
    ):
        pytest.fail("no port is served")

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED
    assert "AllowTcpForwarding" in f"{raised.value.failure}"
