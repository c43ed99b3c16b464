"""Past rollouts: all of them, one node by node, or those of one node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleet.cli.output.history import show_history
from tests.support.settings import JSON, TEXT, WIDE


def rollout(name: str = "r1", **nodes: dict[str, Any]) -> dict[str, Any]:
    return {
        "rollout": name,
        "kind": "rollout",
        "started": "2026-01-01T10:00:00.123456",
        "ended": "2026-01-01T10:05:00",
        "operator": "eve@there",
        "message": "OPS-12",
        "status": "finished",
        "ending": "finished",
        "reason": "",
        "files": {"/x/inventory.yaml": "ab" * 32, "/x/mirrors.yaml": None},
        "nodes": nodes,
    }


WELL = {"status": "converged", "at": "2026-01-01T10:01:00.5", "generation": "r1", "seconds": 2.5}
FAILED = {
    "status": "failed",
    "at": None,
    "held": True,
    "failure": {"kind": "health", "step": "restart", "message": "it is ill"},
}


def shown(capsys: pytest.CaptureFixture[str], *rollouts: Any, **about: Any) -> list[str]:
    show_history(list(rollouts), about.get("rollout"), about.get("node"), WIDE)
    return capsys.readouterr().out.splitlines()


def test_every_rollout_is_a_row_with_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, rollout(w1=WELL, w2=WELL, w3=FAILED))

    assert lines[1].split() == [
        *("r1", "rollout", "eve@there", "finished"),
        *("2", "converged,", "1", "failed,", "1", "still", "locked"),
        *("2026-01-01T10:00:00", "OPS-12"),
    ]


def test_one_rollout_is_shown_node_by_node(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, rollout(w1=WELL, w2=FAILED), rollout="r1")

    assert lines[:10] == [
        "rollout: r1",
        "kind: rollout",
        "started: 2026-01-01T10:00:00.123456",
        "ended: 2026-01-01T10:05:00",
        "operator: eve@there",
        "message: OPS-12",
        "status: finished",
        "reason: -",
        "file: /x/inventory.yaml sha256:abababababab",
        "file: /x/mirrors.yaml sha256:missing",
    ]
    assert lines[11].split() == ["w1", "converged", "-", "2.5"]
    assert lines[12].split() == ["w2", "failed", "-", "-"]
    assert lines[13] == "w2: it is ill"
    assert lines[-1].startswith("w2: still locked")


def test_the_rollouts_of_one_node_have_their_files(capsys: pytest.CaptureFixture[str]) -> None:
    _, first, second = shown(capsys, rollout(w1=WELL), rollout("r0", w1=FAILED), node="w1")

    files = ["inventory.yaml", "abababab", "mirrors.yaml", "missing"]
    head = ["rollout", "eve@there", "converged", "OPS-12", "2026-01-01T10:01:00", "r1"]
    assert first.split() == ["r1", *head, *files]
    assert second.split()[:7] == [
        *("r0", "rollout", "eve@there", "failed", "OPS-12", "2026-01-01T10:00:00", "-"),
    ]


def test_a_node_that_nothing_was_done_to_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_history([], None, "w9", TEXT)

    written = capsys.readouterr()
    assert (written.out, "'w9'" in written.err) == ("", True)


def test_rollouts_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    one = rollout(w1=WELL)

    show_history([one], None, None, JSON)
    all_of_them = json.loads(capsys.readouterr().out)
    show_history([one], "r1", None, JSON)
    alone = json.loads(capsys.readouterr().out)
    show_history([one], None, "w1", JSON)
    of_a_node = json.loads(capsys.readouterr().out)

    assert all_of_them == of_a_node == {"rollouts": [one]}
    assert alone == one
