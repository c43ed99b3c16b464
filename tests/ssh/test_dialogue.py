"""A command that waits for the workstation: marks, words and its end."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.support.server import Command, served


def script(*turns: str, code: int = 0, errors: str = "") -> Command:
    """Return a command that writes one text, then one more after each line that it reads."""

    def run(channel: Any) -> int:
        channel.sendall_stderr(errors.encode())
        reader = channel.makefile("rb")
        for number, text in enumerate(turns):
            if number and not reader.readline():
                break
            channel.sendall(text.encode())
        while reader.readline():
            pass
        return code

    return run


def test_a_command_goes_on_when_it_is_let() -> None:
    turns = ("hello\nready\t1\n", "half", "done\nready\t2\n", "end\t\n")
    with served(script(*turns)) as remote, remote.run_interactive("x", b"", 20) as command:
        assert command.wait_for("ready\t")
        assert b"half" not in command.received
        command.send_line()
        command.send_line("word")
        assert command.wait_for("ready\t")
        command.send_line()

        assert command.finish() == (0, "\n" + "".join(turns), "")


def test_a_mark_counts_at_the_beginning_of_a_line_alone() -> None:
    with (
        served(script("not ready\tx\nready\ty\nend\t\n")) as remote,
        remote.run_interactive("x", b"", 20) as command,
    ):
        assert command.wait_for("ready\t")
        assert command.received_after_mark() == b"end\t\n"


@pytest.mark.parametrize("text", ["end\t\n", "hello\nend\t\n", ""])
def test_a_script_that_has_ended_reaches_no_mark(text: str) -> None:
    def once(channel: Any) -> int:
        channel.makefile("rb").readline()
        channel.sendall(text.encode())
        return 0

    with served(once) as remote, remote.run_interactive("x", b"script\n", 20) as command:
        assert not command.wait_for("ready\t")


def test_a_mark_may_arrive_in_pieces() -> None:
    turns = ("\nrea", "dy\t\n", "end\t\n")
    with served(script(*turns)) as remote, remote.run_interactive("x", b"", 20) as command:
        command.send_line()

        assert command.wait_for("ready\t")


def test_the_input_that_comes_first_is_read_by_the_command() -> None:
    def echo(channel: Any) -> int:
        channel.sendall(channel.makefile("rb").readline())
        return 0

    with served(echo) as remote, remote.run_interactive("x", b"script\n", 20) as command:
        assert command.finish()[1] == "\nscript\n"


def test_the_end_has_the_code_and_the_errors() -> None:
    with (
        served(script("end\t\n", code=7, errors="a warning")) as remote,
        remote.run_interactive("x", b"", 20) as command,
    ):
        assert command.finish() == (7, "\nend\t\n", "a warning")


def test_something_else_is_done_while_nothing_arrives() -> None:
    waited = threading.Event()

    def patient(channel: Any) -> int:
        assert channel.makefile("rb").read() == b""
        return 0 if waited.wait(10) else 1

    with served(patient) as remote, remote.run_interactive("x", b"", 20) as command:
        assert command.finish(waited.set) == (0, "\n", "")
