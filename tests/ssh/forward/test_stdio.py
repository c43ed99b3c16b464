"""A local socket that leads to a command's input and output."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from fleet.ssh.forward.stdio import StdioBridge, stdio_bridge


class Wire:
    """A channel over a socket; `errors` stand on its stderr."""

    closed = False

    def __init__(self, wire: socket.socket) -> None:
        self.wire, self.errors = wire, b""
        self.fileno, self.recv, self.sendall = wire.fileno, wire.recv, wire.sendall

    @property
    def eof_received(self) -> bool:
        return self.recv_ready() and self.wire.recv(1, socket.MSG_PEEK) == b""

    def recv_ready(self) -> bool:
        return bool(select.select([self.wire], [], [], 0)[0])

    def recv_stderr_ready(self) -> bool:
        return bool(self.errors)

    def recv_stderr(self, size: int) -> bytes:
        part, self.errors = self.errors[:size], self.errors[size:]
        return part


@pytest.fixture
def command() -> Iterator[tuple[Any, socket.socket]]:
    """Return both ends of what stands for a channel."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        yield Wire(ours), theirs


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
            bridge.pump()

        assert theirs.recv(9) == b"asked"
        assert user.recv(6) + user.recv(4) == b"early late"


def test_words_on_stderr_hold_nothing_up(command: Any) -> None:
    ours, theirs = command
    with stdio_bridge(ours, b"") as bridge, client(bridge) as user:
        bridge.pump()
        ours.errors = b"sudo: a warning"
        theirs.sendall(b"x")
        bridge.pump()

        assert (user.recv(1), ours.errors) == (b"x", b"")


def test_a_second_client_is_refused_as_there_is_one_command(command: Any) -> None:
    with stdio_bridge(command[0], b"") as bridge, client(bridge):
        bridge.pump()

        with pytest.raises(ConnectionRefusedError):
            client(bridge)


def test_a_command_that_ends_ends_its_client(command: Any) -> None:
    ours, theirs = command
    with stdio_bridge(ours, b"") as bridge, client(bridge) as user:
        bridge.pump()
        theirs.close()
        bridge.pump()
        bridge.pump()

        assert user.recv(1) == b""
