"""What a command writes is read as it comes, from both of its streams, and within bounds."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import paramiko
import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.ssh.output import MAX_BYTES
from tests.support.server import served

_PIECE = b"noise " * 5000


def loud(channel: paramiko.Channel) -> int:
    """Write 6 MB of errors, which is more than the window of SSH, before the answer."""
    for _ in range(200):
        channel.sendall_stderr(_PIECE)
    channel.sendall_stderr(b"the last error\n")
    channel.sendall(b"\nready\there\nend\t\n")
    return 3


def endless(send: str) -> Callable[[paramiko.Channel], int]:
    def command(channel: paramiko.Channel) -> int:
        while True:
            getattr(channel, send)(_PIECE * 20)

    return command


def test_errors_beyond_the_window_do_not_stop_a_command() -> None:
    with served(loud) as remote:
        began = time.monotonic()
        said = remote.run("x", stdin=b"", seconds=60)

    assert time.monotonic() - began < 20
    assert (said.code, said.stdout) == (3, "\nready\there\nend\t\n")
    assert said.stderr.endswith("noise the last error\n")
    assert len(said.stderr) == 1 << 18


def test_errors_beyond_the_window_do_not_stop_a_dialogue() -> None:
    with served(loud) as remote, remote.run_interactive("x", b"", 60) as talk:
        assert talk.wait_for("ready\t")
        code, text, errors = talk.finish()

    assert (code, text.endswith("end\t\n"), errors[-15:]) == (3, True, "the last error\n")


@pytest.mark.parametrize("send", ["sendall", "sendall_stderr"])
def test_a_command_that_writes_without_end_is_given_up(send: str) -> None:
    tracemalloc.start()
    with served(endless(send)) as remote, pytest.raises(NodeError) as caught:
        remote.run("x", stdin=b"", seconds=60)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.failure.kind is FailureKind.PROTOCOL
    assert caught.value.failure.message.endswith(f"more than {MAX_BYTES >> 20} MiB")
    assert caught.value.failure.remedy.startswith("look for large files")
    assert most < 4 * MAX_BYTES


def test_a_dialogue_that_never_says_what_is_waited_for_is_given_up() -> None:
    with (
        served(endless("sendall")) as remote,
        pytest.raises(NodeError, match="more than"),
        remote.run_interactive("x", b"", 60) as talk,
    ):
        talk.wait_for("ready\t")


def test_a_silent_command_is_given_up() -> None:
    def silent(channel: paramiko.Channel) -> int:
        time.sleep(5)
        return channel.chanid

    with served(silent) as remote, pytest.raises(NodeError, match="no answer within"):
        remote.run("x", stdin=b"", seconds=60, silence=0.3)
