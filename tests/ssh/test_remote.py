"""Commands over an open connection: results, limits of time and of silence, and lost nodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.ssh import CommandResult
from fleet.ssh.remote import Remote
from tests.support.server import served


def run(remote: Remote, **fields: Any) -> CommandResult:
    return remote.run("x", **{"stdin": b"", "seconds": 20.0, **fields})


def failure(command: Callable[[Any], int], **fields: Any) -> tuple[FailureKind, str]:
    """Return the kind and step of the failure that a command gives."""
    with served(command) as remote, pytest.raises(NodeError) as raised:
        run(remote, **fields)
    return raised.value.failure.kind, raised.value.failure.step


@pytest.mark.parametrize("code", [0, 1, 124, 255])
def test_a_result_has_both_streams_and_the_code(code: int) -> None:
    def command(channel: Any) -> int:
        channel.sendall("ü\n".encode())
        channel.sendall_stderr(b"a warning\n")
        return code

    with served(command) as remote:
        assert run(remote) == CommandResult(code, "ü\n", "a warning\n")


def test_bytes_that_are_no_text_are_replaced() -> None:
    with served(lambda channel: channel.sendall(b"a\xff") or 0) as remote:
        assert run(remote).stdout == "a\ufffd"


def test_the_input_is_sent_whole_and_then_ends() -> None:
    content = bytes(range(256)) * 4000
    sizes: list[int] = []

    def command(channel: Any) -> int:
        sizes.append(len(channel.makefile("rb").read()))
        return 0

    with served(command) as remote:
        run(remote, stdin=content)

    assert sizes == [len(content)]


def test_several_commands_run_one_after_another() -> None:
    with served(lambda channel: channel.sendall(b"hi") or 0) as remote:
        assert [run(remote).stdout for _ in range(3)] == ["hi", "hi", "hi"]


def test_a_listener_hears_every_piece() -> None:
    def command(channel: Any) -> int:
        for piece in (b"one ", b"two ", b"three"):
            channel.sendall(piece)
            time.sleep(0.01)
        return 0

    heard: list[bytes] = []
    with served(command) as remote:
        run(remote, on_output=heard.append)

    assert b"".join(heard) == b"one two three"
    assert len(heard) > 1


def hang(channel: Any) -> int:
    """Write nothing until the other end hangs up."""
    while not channel.closed:
        time.sleep(0.01)
    return 0


def test_a_command_that_says_nothing_is_given_up() -> None:
    assert failure(hang, silence=0.1) == (FailureKind.TIMEOUT, "run")


def test_a_command_that_goes_on_too_long_is_given_up() -> None:
    def chatter(channel: Any) -> int:
        while not channel.closed:
            channel.sendall(b".")
            time.sleep(0.01)
        return 0

    assert failure(chatter, seconds=0.2) == (FailureKind.TIMEOUT, "run")


def test_a_node_that_hangs_up_is_lost() -> None:
    def hang_up(channel: Any) -> int:
        channel.sendall(b"hello")
        channel.get_transport().close()
        return 0

    assert failure(hang_up) == (FailureKind.CONNECT, "run")


def test_a_command_that_ends_without_a_code_is_lost() -> None:
    def close(channel: Any) -> int:
        channel.close()
        raise EOFError

    assert failure(close) == (FailureKind.CONNECT, "run")


def test_a_command_that_reads_no_input_may_still_answer() -> None:
    def refuse(channel: Any) -> int:
        channel.sendall(b"no input, please")
        return 3

    with served(refuse) as remote:
        result = run(remote, stdin=b"x" * 100_000)

    assert (result.code, result.stdout) == (3, "no input, please")


def test_a_closed_connection_runs_nothing() -> None:
    with served(lambda _: 0) as remote:
        remote.close()
        remote.close()

        with pytest.raises(NodeError) as raised:
            run(remote)

    assert raised.value.failure.kind is FailureKind.CONNECT


def test_an_interactive_command_that_hangs_is_closed() -> None:
    with (
        served(hang) as remote,
        pytest.raises(NodeError) as raised,
        remote.run_interactive("x", b"", 0.1) as command,
    ):
        command.wait_for("ready\t")

    assert raised.value.failure.kind is FailureKind.TIMEOUT
