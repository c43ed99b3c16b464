"""A local socket that leads to a command's input and output."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from fleet.ssh.stdio_bridge import StdioBridge, stdio_bridge


@pytest.fixture
def command() -> Iterator[tuple[Any, socket.socket]]:
    """Return both ends of what stands for a channel."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        yield ours, theirs


def client(bridge: StdioBridge) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(5)
    try:
        made.connect(bridge.target.removeprefix("unix:"))
    except OSError:
        made.close()
        raise
    return made


def test_bytes_go_both_ways_and_those_that_came_first_come_first(command: Any) -> None:
    ours, theirs = command
    with stdio_bridge(ours, b"early ") as bridge, client(bridge) as user:
        theirs.sendall(b"late")
        user.sendall(b"asked")
        for _ in range(3):
            bridge.turn()

        assert theirs.recv(9) == b"asked"
        assert user.recv(6) + user.recv(4) == b"early late"


def test_a_second_client_is_refused_as_there_is_one_command(command: Any) -> None:
    with stdio_bridge(command[0], b"") as bridge, client(bridge):
        bridge.turn()

        with pytest.raises(ConnectionRefusedError):
            client(bridge)


def test_a_command_that_ends_ends_its_client(command: Any) -> None:
    ours, theirs = command
    with stdio_bridge(ours, b"") as bridge, client(bridge) as user:
        bridge.turn()
        theirs.close()
        bridge.turn()
        bridge.turn()

        assert user.recv(1) == b""
