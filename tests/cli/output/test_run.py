"""The results of a command on many nodes: equal ones together, failures last."""

from __future__ import annotations

import json

import pytest

from fleet.cli.output.run import show_results
from fleet.core.failure import Failure, FailureKind, Step
from fleet.node.run_command import RunResult
from tests.support.settings import JSON, TEXT

LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")
RESULTS = {
    "w9": LOST,
    "w1": RunResult(0, "up 3 days\nload 1", 0.5),
    "w2": RunResult(1, "no such file", 0.1),
    "w3": RunResult(0, "up 3 days\nload 1", 0.7),
    "w4": RunResult(124, "", 5.0),
    "w5": RunResult(0, "up 4 days", 0.2),
}


def test_nodes_with_the_same_result_share_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    show_results("uptime", RESULTS, TEXT)

    assert capsys.readouterr().out.splitlines() == [
        "w[1,3] (2): ok",
        "    up 3 days",
        "    load 1",
        "w5 (1): ok",
        "    up 4 days",
        "w2 (1): exit code 1",
        "    no such file",
        "w4 (1): ran out of time",
        "w9: timed out",
        "  remedy: try again",
    ]


def test_output_cannot_control_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_results("x", {"w1": RunResult(0, "\x1b[2Jx", 0.1)}, TEXT)

    assert capsys.readouterr().out == "w1 (1): ok\n    \\x1b[2Jx\n"


def test_every_result_is_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_results("uptime", {"w2": RESULTS["w2"], "w9": LOST}, JSON)

    data = json.loads(capsys.readouterr().out)
    failure = data["nodes"]["w9"].pop("failure")
    assert data == {
        "command": "uptime",
        "nodes": {
            "w2": {"code": 1, "output": "no such file", "seconds": 0.1, "failure": None},
            "w9": {"code": None, "output": None, "seconds": None},
        },
    }
    assert (failure["kind"], failure["step"]) == ("connect", "connect")
