"""An administrator's command on a node: its exit code and its output, or a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.node import Node
from fleet.node.run_command import RunOrder, RunResult, run
from fleet.node.work_order import Access
from fleet.ssh import SshSettings
from tests.support.ssh_server import Answer, in_turn, record, ssh_server


def result(folder: Path, answer: Answer) -> RunResult | Failure:
    with ssh_server(folder, in_turn(answer)) as server:
        return run(RunOrder(server.node, Access(ssh=server.settings), "uptime", 5))


OUTPUTS = {
    "a line": ("up 3 days\n\nrc 0", 0, "up 3 days"),
    "nothing": ("\nrc 0", 0, ""),
    "a failure": ("no such file\n\nrc 1", 1, "no such file"),
    "out of time": ("\nrc 124", 124, ""),
    "lines inside": ("a\n\n b\n\nrc 0", 0, "a\n\n b"),
    "what looks like a code": ("a\nrc 7\n\nrc 0", 0, "a\nrc 7"),
}


@pytest.mark.parametrize(("output", "code", "text"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_command_has_its_code_and_its_output(
    tmp_path: Path, output: str, code: int, text: str
) -> None:
    found = result(tmp_path, record(output=output))

    assert isinstance(found, RunResult)
    assert (found.code, found.output) == (code, text)
    assert 0 < found.seconds < 30


@pytest.mark.parametrize("output", ["", "up 3 days", "\nrc ", "\nrc x", "\nrc 1234", "\nrc -1"])
def test_an_output_without_a_code_breaks_the_protocol(tmp_path: Path, output: str) -> None:
    failure = result(tmp_path, record(output=output))

    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.PROTOCOL


def test_the_command_and_its_limit_go_to_the_node(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(record(output="\nrc 0"))) as server:
        run(RunOrder(server.node, Access(ssh=server.settings), "echo 'a b'", 5))

        assert "LIMIT=5\n" in server.inputs[0]
        assert "COMMAND='echo '\"'\"'a b'\"'\"''\n" in server.inputs[0]
        assert "timeout -k 10 15 sh -s" in server.commands[0]


def test_a_node_that_cannot_be_reached_is_a_failure(tmp_path: Path) -> None:
    access = Access(ssh=SshSettings(str(tmp_path / "nowhere")))

    failure = run(RunOrder(Node(name="n", host="n"), access, "uptime", 5))

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.step) == (FailureKind.CONNECT, "connect")
