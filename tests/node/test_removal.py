"""The removal of fleet from one node, by the answers of its scripts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fleet.core.model.change import ManagedFile
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import PlannedFiles
from fleet.node.converge import converge
from fleet.node.recheck import recheck, settle_left
from fleet.node.stage import stage
from fleet.node.work_order import WorkOrder
from tests.node.test_recheck import looked, modes
from tests.support.orders import order_of
from tests.support.ssh_server import Answer, in_turn, record, ssh_server

REMOVED = record(status="removed")
LOCKED = record(status="failed", failure="stale", failed_step="remove", message="changed since")
RECORD = ManagedFile(b"{}\n", 0o600)


def removal(order: WorkOrder) -> WorkOrder:
    """Return the order to remove fleet's own files alone."""
    files = PlannedFiles(state_before=RECORD)
    plan = replace(order.plan, changes=(), removes=("/run/fleet",), files=files)
    return replace(order, plan=plan, purpose="remove")


def test_own_files_alone_are_removed_in_one_step(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(REMOVED)) as server:
        order = removal(order_of(settings=server.settings))
        staged = stage(order)
        outcome = converge(order)
        again = recheck(order)

        assert staged.status is NodeStatus.STAGED
        assert (outcome.status, outcome.generation) == (NodeStatus.CONVERGED, None)
        assert again.status is NodeStatus.CONVERGED
        assert modes(server.inputs) == ["remove"]
        assert f"RECORD={RECORD.digest}" in server.inputs[0]


def test_a_removal_that_is_refused_is_a_failure(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(LOCKED)) as server:
        outcome = converge(removal(order_of(settings=server.settings)))

    assert outcome.status is NodeStatus.STALE
    assert outcome.failure is not None
    assert outcome.failure.message == "changed since"


def test_a_confirmed_change_of_a_dead_run_is_followed_by_the_removal(tmp_path: Path) -> None:
    answers: tuple[Answer, ...] = (looked("confirmed"), REMOVED)
    with ssh_server(tmp_path, in_turn(*answers)) as server:
        outcome = settle_left(removal(order_of(settings=server.settings)))

        assert outcome.status is NodeStatus.CONVERGED
        assert modes(server.inputs) == ["look", "remove"]
