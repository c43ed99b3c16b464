"""One node's pass on a real node, without the command line in front of it."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.model.secret import Secret
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.node.converge import converge
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.script import Privilege
from fleet.node.work_order import Access, WorkOrder
from fleet.ssh import SshSettings
from tests.lab import Lab
from tests.node.test_probe import WISHES

pytestmark = pytest.mark.node


def planned(lab: Lab, name: str, **about: str) -> tuple[NodePlan, Access]:
    node = Node(name=name, host=lab.nodes[name].address, **about)
    password = Secret(lab.password) if node.user == "pat" else None
    access = Access(ssh=SshSettings(str(lab.ssh_config)), privilege=Privilege(password=password))
    facts = probe(ProbeOrder(node, access))
    assert isinstance(facts, NodeFacts)
    return plan_node(node, facts, WISHES), access


def order(plan: NodePlan, access: Access) -> WorkOrder:
    return WorkOrder(plan=plan, rollout="r1", operator="test", access=access, verify=False)


CHANGED = {
    "config.toml": "echo '# by hand' >>/etc/containerd/config.toml",
    "a hosts.toml that was not there": (
        "mkdir -p /etc/containerd/certs.d/docker.io;"
        " echo '# by hand' >/etc/containerd/certs.d/docker.io/hosts.toml"
    ),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=list(CHANGED))
def test_a_node_that_changed_since_its_plan_is_not_touched(nodes: Lab, change: str) -> None:
    plan, access = planned(nodes, "trixie1")
    nodes.nodes["trixie1"].sh(change)
    before = nodes.nodes["trixie1"].digests("/etc", "/var/lib")

    outcome = converge(order(plan, access))

    assert outcome.status is NodeStatus.STALE
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.step) == (FailureKind.STALE, "check")
    assert nodes.nodes["trixie1"].digests("/etc", "/var/lib") == before


@pytest.mark.parametrize("user", ["root", "ops", "pat"])
def test_every_login_leaves_the_same_bytes(nodes: Lab, user: str) -> None:
    plan, access = planned(nodes, "bookworm1", user=user)

    outcome = converge(order(plan, access))

    node = nodes.nodes["bookworm1"]
    assert outcome.status is NodeStatus.CONVERGED, outcome.failure
    for change in plan.changes:
        assert change.after is not None
        assert (node.root / change.path[1:]).read_bytes() == change.after.content
        assert node.sh(f"stat -c '%a %u %g' {change.path}").stdout == "644 0 0\n"
    assert node.sh("stat -c %a /var/lib/fleet /var/lib/fleet/generations").stdout == "700\n700\n"
