"""Staging and release: what is tried again, and whether the node stays locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.failure import FailureKind
from fleet.core.model.outcome import NodeStatus
from fleet.node.stage import release_once, stage
from fleet.ssh import SshSettings
from tests.support.orders import order_of
from tests.support.ssh_server import Answer, in_turn, record, ssh_server

STAGED = record(status="staged")
FAILED = record(status="failed", failure="validate", failed_step="validate", message="no")
RELEASED = record(status="released")
BROKEN = Answer("begun\t=plain\n", None)
CUT = Answer("begun\t=plain\nhello\t=0\n", 1)
NO_SUDO = Answer("begun\t=plain\n", 78)

STAGINGS = {
    "staged": ((STAGED,), NodeStatus.STAGED, None, 1, False),
    "refused by the node": ((FAILED,), NodeStatus.FAILED, FailureKind.VALIDATE, 1, False),
    "broken once": ((BROKEN, STAGED), NodeStatus.STAGED, None, 2, True),
    "broken twice": ((BROKEN, BROKEN, RELEASED), NodeStatus.FAILED, FailureKind.CONNECT, 3, False),
    "cut short": ((CUT, RELEASED), NodeStatus.FAILED, FailureKind.PROTOCOL, 2, False),
    "without sudo": ((NO_SUDO,), NodeStatus.FAILED, FailureKind.SUDO, 1, False),
}


@pytest.mark.parametrize(
    ("answers", "status", "kind", "scripts", "held"), STAGINGS.values(), ids=STAGINGS
)
def test_a_staging_ends_with_the_nodes_status_and_its_lock(
    tmp_path: Path,
    answers: tuple[Answer, ...],
    status: NodeStatus,
    kind: FailureKind | None,
    scripts: int,
    held: bool,
) -> None:
    with ssh_server(tmp_path, in_turn(*answers)) as server:
        outcome = stage(order_of(settings=server.settings))

        assert outcome.status is status
        assert (outcome.failure.kind if outcome.failure else None) is kind
        assert (len(server.inputs), outcome.held) == (scripts, held)


def test_a_node_that_cannot_be_reached_is_not_locked(tmp_path: Path) -> None:
    outcome = stage(order_of(settings=SshSettings(str(tmp_path / "nowhere"))))

    assert (outcome.status, outcome.held) == (NodeStatus.UNREACHABLE, False)


RELEASES = {
    "released": (RELEASED, False, None),
    "of another rollout": (record(status="not_ours"), False, None),
    "not released": (record(status="failed"), True, None),
    "lost": (BROKEN, True, FailureKind.CONNECT),
}


@pytest.mark.parametrize(("answer", "held", "kind"), RELEASES.values(), ids=RELEASES)
def test_a_released_node_is_pending_and_free(
    tmp_path: Path, answer: Answer, held: bool, kind: FailureKind | None
) -> None:
    with ssh_server(tmp_path, in_turn(answer)) as server:
        outcome = release_once(order_of(settings=server.settings))

    assert (outcome.status, outcome.held) == (NodeStatus.PENDING, held)
    assert (outcome.failure.kind if outcome.failure else None) is kind
