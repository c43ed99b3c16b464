"""The history from the nodes' own audit logs as text and as data."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from fleet.actions.node_history import NodeHistory
from fleet.cli.output.node_history import show_node_history
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.history.audit import AuditEvent, AuditLog
from fleet.core.history.node_history import merge_logs
from fleet.core.selection.ranges import expand
from tests.support.schemas import fits
from tests.support.settings import JSON, TEXT

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out \x1b[2J", "look at the network")


def event(at: str, step: str, result: str, **more: str) -> AuditEvent:
    about: dict[str, Any] = {"rollout": "20260101-100000-00aa", "operator": "me@here"}
    about |= {"kind": "rollout", "message": "OPS-12"}
    return AuditEvent(at=f"2026-01-01T10:00:{at}Z", step=step, result=result, **{**about, **more})


SWAPPED, CONFIRMED = event("01", "activate", "swapped"), event("05", "confirm", "confirmed")
OLD = event("01", "activate", "failed", rollout="20251231-100000-00bb", kind="", message="")
LOGS = {
    "w1": AuditLog((OLD, SWAPPED, CONFIRMED), 2),
    "w2": AuditLog((SWAPPED, CONFIRMED), cut=True),
    "w3": AuditLog((SWAPPED,)),
}
HISTORY = NodeHistory(merge_logs(LOGS, NOW), {"w4": LOST, "w5": LOST}, {"w1": 2}, ["w2"])


def test_rollouts_are_shown_with_their_nodes_by_status(capsys: pytest.CaptureFixture[str]) -> None:
    show_node_history(HISTORY, None, TEXT)

    written = capsys.readouterr()
    assert written.out.splitlines() == [
        "20260101-100000-00aa  rollout by me@here",
        "  2026-01-01 10:00:01 to 2026-01-01 10:00:05, by the nodes' clocks",
        "  OPS-12",
        "  converged:   w[1-2]",
        "  unconfirmed: w3",
        "20251231-100000-00bb  change by me@here",
        "  2026-01-01 10:00:01 to 2026-01-01 10:00:01, by the nodes' clocks",
        "  failed:      w1",
        "w[4-5] (2): timed out \\x1b[2J",
        "  remedy: look at the network",
    ]
    assert written.err.splitlines() == [
        "w1: 2 lines skipped, not written by fleet",
        "w2: only the newest part of a long audit log was read",
    ]


def test_one_rollout_is_shown_entry_by_entry(capsys: pytest.CaptureFixture[str]) -> None:
    one = NodeHistory(HISTORY.rollouts[:1], {}, {}, [])

    show_node_history(one, "last", TEXT)

    rows = [line.split() for line in capsys.readouterr().out.splitlines()[5:]]
    assert rows[0][:1] == ["NODE"]
    assert rows[1] == ["w1", "2026-01-01", "10:00:01", "activate", "swapped", "me@here"]
    assert [row[0] for row in rows[1:]] == ["w1", "w1", "w2", "w2", "w3"]


def expanded(line: str) -> list[str]:
    return [name for part in re.split(r",(?![^\[]*\])", line) for name in expand(part)]


def test_many_nodes_are_broken_between_names(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["".join(letters) for letters in product("abcd", repeat=3)]
    logs = {f"{word}{n}.example": AuditLog((SWAPPED,)) for word in words for n in (1, 3)}

    show_node_history(NodeHistory(merge_logs(logs, NOW), {}, {}, []), None, TEXT)

    lines = capsys.readouterr().out.splitlines()[3:]
    assert len(lines) > 1
    assert max(map(len, lines)) <= 200
    names = [line.removeprefix("  unconfirmed:").strip().strip(",") for line in lines]
    assert sorted(name for line in names for name in expanded(line)) == sorted(logs)


def test_logs_without_a_rollout_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_node_history(NodeHistory([], {}, {}, []), None, TEXT)

    assert "have no rollout in their audit logs" in capsys.readouterr().err


def test_the_history_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_node_history(HISTORY, None, JSON)

    data = json.loads(capsys.readouterr().out)
    fits("history", data)
    first, second = data["rollouts"]
    assert (first["kind"], first["message"], second["kind"]) == ("rollout", "OPS-12", None)
    assert {name: node["status"] for name, node in first["nodes"].items()} == {
        "w1": "converged",
        "w2": "converged",
        "w3": "unconfirmed",
    }
    assert [entry["result"] for entry in first["nodes"]["w1"]["entries"]] == [
        *("swapped", "confirmed")
    ]
    assert data["failures"]["w4"]["kind"] == "connect"
    assert (data["skipped_lines"], data["cut"]) == ({"w1": 2}, ["w2"])


def test_a_node_that_has_recorded_something_else_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forged = event("00", "activate", "swapped", kind="remove", message="bye \x1b[2J")
    logs = {"evil": AuditLog((forged,)), "w1": AuditLog((CONFIRMED,)), "w2": AuditLog((CONFIRMED,))}
    history = NodeHistory(merge_logs(logs, NOW), {}, {}, [])

    show_node_history(history, None, TEXT)
    lines = capsys.readouterr().out.splitlines()
    show_node_history(history, None, JSON)
    data = json.loads(capsys.readouterr().out)

    assert lines[0] == "20260101-100000-00aa  rollout by me@here"
    assert lines[3] == "  evil has recorded something else: remove, bye \\x1b[2J"
    fits("history", data)
    (rollout,) = data["rollouts"]
    assert rollout["differing"] == {"evil": {"kind": "remove", "message": "bye \x1b[2J"}}
