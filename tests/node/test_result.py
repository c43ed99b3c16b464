"""The end of one node's pass: what its outcome says that was not proven."""

from __future__ import annotations

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan, PlannedPulls
from fleet.core.plan.pull_tests import PullTest
from fleet.node.result import ConvergeResult
from fleet.node.work_order import Access, WorkOrder

CHANGE = Change("/etc/containerd/certs.d/docker.io/hosts.toml", None, ManagedFile(b"x"))
PULL = PullTest("docker.io/library/busybox:1", "docker.io", b"")
CONVERGED = NodeStatus.CONVERGED
CASES = {
    "pulls were made": (CONVERGED, (CHANGE,), True, False, ("quay.io",)),
    "without pulls": (CONVERGED, (CHANGE,), False, False, ("quay.io", "docker.io")),
    "nothing changed": (CONVERGED, (), False, False, ("quay.io",)),
    "settled by resume": (CONVERGED, (), True, True, ("quay.io",)),
    "settled by resume, without pulls": (CONVERGED, (), False, True, ("quay.io", "docker.io")),
    "rolled back": (NodeStatus.ROLLED_BACK, (CHANGE,), False, False, ()),
}


@pytest.mark.parametrize(
    ("status", "changes", "verify", "left", "unproven"), CASES.values(), ids=CASES
)
def test_an_outcome_names_what_no_pull_has_proven(
    *,
    status: NodeStatus,
    changes: tuple[Change, ...],
    verify: bool,
    left: bool,
    unproven: tuple[str, ...],
) -> None:
    node = Node(name="a", host="a")
    plan = NodePlan(
        node=node, changes=changes, pulls=PlannedPulls(tests=(PULL,), unproven=("quay.io",))
    )
    order = WorkOrder(
        plan=plan, rollout="r", operator="o", access=Access(), verify=verify, tries_left=left
    )

    assert ConvergeResult(order).outcome(status).unproven == unproven


@pytest.mark.parametrize(
    "failure", [None, Failure(FailureKind.VERIFY, Step.VERIFY, "no pull", "try again")]
)
@pytest.mark.parametrize(
    ("status", "told"),
    [(CONVERGED, True), (NodeStatus.ROLLED_BACK, True), (NodeStatus.DEGRADED, False)],
)
def test_an_outcome_names_a_node_that_is_ill_as_before(
    status: NodeStatus, failure: Failure | None, *, told: bool
) -> None:
    plan = NodePlan(node=Node(name="a", host="a"))
    work = ConvergeResult(
        WorkOrder(plan=plan, rollout="r", operator="o", access=Access()), unhealthy="no CRI"
    )

    ended = work.outcome(status, failure)

    text = f"{ended.failure.message}\n{ended.failure.evidence}" if ended.failure else ""
    assert ended.status is status
    assert ("no CRI; the node was already unhealthy when this state was saved" in text) is told
    assert failure is None or failure.message in text
