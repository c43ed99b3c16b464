"""Work after a node has converged, or after a run that ended before it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.failure import FailureKind
from fleet.core.model.outcome import NodeStatus
from fleet.node.recheck import recheck, settle_left
from fleet.node.revert import revert
from tests.support.orders import order_of
from tests.support.ssh_server import Answer, in_turn, record, ssh_server

CONFIRMED = record(status="confirmed", standing="confirmed 1")
BACK = record(status="rolled_back", standing="restored 1")
UNWELL = record(status="failed", failure="health", failed_step="health", message="no CRI")
DEGRADED = record(status="degraded", failure="revert", failed_step="revert", message="no disk")


def looked(state: str, **values: str) -> Answer:
    return record(status="looked", standing=f"{state} 1", **values)


def modes(inputs: list[str]) -> list[str]:
    return [text.partition("MODE=")[2].partition("\n")[0] for text in inputs]


RECHECKS = {
    "healthy": ((CONFIRMED,), NodeStatus.CONVERGED, ["recheck"]),
    "unhealthy": ((UNWELL, BACK), NodeStatus.ROLLED_BACK, ["recheck", "revert"]),
    "beyond repair": ((UNWELL, DEGRADED), NodeStatus.DEGRADED, ["recheck", "revert"]),
    "edited since": (
        (record(status="failed", failure="stale", failed_step="health", message="edited"),),
        NodeStatus.STALE,
        ["recheck"],
    ),
    "taken back meanwhile": (
        (record(status="not_pending", standing="restored 1", why="timer"),),
        NodeStatus.ROLLED_BACK,
        ["recheck"],
    ),
    "a revert that was ended": (
        (record(status="failed", standing="reverting 1"), BACK),
        NodeStatus.ROLLED_BACK,
        ["recheck", "revert"],
    ),
}


@pytest.mark.parametrize(("answers", "status", "asked"), RECHECKS.values(), ids=RECHECKS)
def test_a_recheck_leaves_a_healthy_node_and_reverts_another(
    tmp_path: Path, answers: tuple[Answer, ...], status: NodeStatus, asked: list[str]
) -> None:
    with ssh_server(tmp_path, in_turn(*answers)) as server:
        outcome = recheck(order_of(settings=server.settings, verify=False, liveness=False))

        assert (outcome.status, modes(server.inputs)) == (status, asked)


LEFT = {
    "not begun": ((looked("untouched"),), NodeStatus.PENDING, ["look"]),
    "confirmed": ((looked("confirmed"),), NodeStatus.CONVERGED, ["look"]),
    "active": ((looked("swapped"), CONFIRMED), NodeStatus.CONVERGED, ["look", "confirm"]),
    "armed": ((looked("armed"), BACK), NodeStatus.PENDING, ["look", "revert"]),
    "reverting": ((looked("reverting"), BACK), NodeStatus.PENDING, ["look", "revert"]),
    "beyond repair": ((looked("reverting"), DEGRADED), NodeStatus.DEGRADED, ["look", "revert"]),
    "taken back by its guard": ((looked("restored", why="timer"),), NodeStatus.PENDING, ["look"]),
    "taken back as it failed": (
        (looked("restored", why="failed"),),
        NodeStatus.ROLLED_BACK,
        ["look"],
    ),
    "unwell": ((looked("unwell"),), NodeStatus.DEGRADED, ["look"]),
    "edited since": ((looked("confirmed", strange="/etc/x"),), NodeStatus.STALE, ["look"]),
}


@pytest.mark.parametrize(("answers", "status", "asked"), LEFT.values(), ids=LEFT)
def test_what_an_interrupted_run_left_is_settled_by_the_nodes_own_state(
    tmp_path: Path, answers: tuple[Answer, ...], status: NodeStatus, asked: list[str]
) -> None:
    with ssh_server(tmp_path, in_turn(*answers)) as server:
        order = order_of(settings=server.settings, verify=False, liveness=False)

        outcome = settle_left(order)

        assert (outcome.status, modes(server.inputs)) == (status, asked)


REVERTS = {
    "back": (BACK, NodeStatus.ROLLED_BACK, FailureKind.BUDGET),
    "beyond repair": (DEGRADED, NodeStatus.DEGRADED, FailureKind.REVERT),
    "back already": (
        record(status="not_pending", standing="restored 1"),
        NodeStatus.ROLLED_BACK,
        FailureKind.BUDGET,
    ),
    "not yet": (
        record(status="unsettled", standing="reverting 1"),
        NodeStatus.UNREACHABLE,
        FailureKind.BUDGET,
    ),
}


@pytest.mark.parametrize(("answer", "status", "kind"), REVERTS.values(), ids=REVERTS)
def test_a_node_is_reverted_since_others_spent_the_budget(
    tmp_path: Path, answer: Answer, status: NodeStatus, kind: FailureKind
) -> None:
    with ssh_server(tmp_path, in_turn(answer)) as server:
        outcome = revert(order_of(settings=server.settings))

        assert modes(server.inputs) == ["revert"]
    assert outcome.status is status
    assert outcome.failure is not None
    assert outcome.failure.kind is kind
