"""Staging and release: what is tried again, and whether the node stays locked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan, PlannedConfig
from fleet.node.stage import refuse_ineffective, release_once, stage
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
    "without sudo": ((NO_SUDO,), NodeStatus.NO_ACCESS, FailureKind.SUDO, 1, False),
}

TABLE = "[plugins.'io.containerd.cri.v1.images'.registry"
PLANNED = NodePlan(
    node=Node(name="n", host="n"),
    containerd="2.1.9",
    config=PlannedConfig(
        intended_registry={
            "config_path": "/certs",
            "configs": {"h": {"auth": {"password": "s3cret"}}},
        }
    ),
)
CREDENTIALS = f"{TABLE}.configs.h.auth]\n  password = 's3cret'\n"

INEFFECTIVE = {
    "another directory": f"{TABLE}]\n  config_path = '/old'\n{CREDENTIALS}",
    "no directory": f"{TABLE}]\n  config_path = ''\n{CREDENTIALS}",
    "no login": f"{TABLE}]\n  config_path = '/certs'\n",
    "another password": f"{TABLE}]\n  config_path = '/certs'\n{CREDENTIALS.replace('s3', 's4')}",
    "mirrors that nobody meant": (
        f"{TABLE}]\n  config_path = '/certs'\n{CREDENTIALS}{TABLE}.mirrors.x]\n  endpoint = ['https://y']\n"
    ),
    "no tables": "",
    "no TOML": f"{TABLE}\n",
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


@pytest.mark.parametrize("tables", INEFFECTIVE.values(), ids=INEFFECTIVE)
def test_what_is_not_as_meant_is_refused_without_a_secret(tables: str) -> None:
    with pytest.raises(NodeError) as raised:
        refuse_ineffective(PLANNED, tables)

    failure = raised.value.failure
    assert (failure.kind, failure.step) == (FailureKind.VALIDATE, "validate")
    assert "s3cret" not in failure.message


def test_what_is_as_meant_passes() -> None:
    refuse_ineffective(PLANNED, f"{TABLE}]\n  config_path = '/certs'\n  unknown = 1\n{CREDENTIALS}")
