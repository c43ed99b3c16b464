"""The end of one node's pass: what its outcome says that was not proven."""

from __future__ import annotations

import pytest

from fleet.core.model import Change, ManagedFile, Node
from fleet.core.outcome import NodeStatus
from fleet.core.plan import NodePlan
from fleet.core.pull_tests import PullTest
from fleet.node.order import Access, WorkOrder
from fleet.node.work import Pass

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
    plan = NodePlan(node=node, changes=changes, tests=(PULL,), unproven=("quay.io",))
    order = WorkOrder(
        plan=plan, rollout="r", operator="o", access=Access(), verify=verify, left=left
    )

    assert Pass(order).outcome(status).unproven == unproven
