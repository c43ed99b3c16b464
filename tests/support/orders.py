"""Plans and work orders of one node, small ones unless a test asks for more."""

from __future__ import annotations

from typing import Any

from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.node import Node
from fleet.core.plan.planner import NodePlan
from fleet.node.work_order import Access, Deadlines, WorkOrder
from fleet.ssh import SshSettings

HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"
CHANGE = Change(HOSTS, None, ManagedFile(b"x"))


def plan_of(node: Node | None = None, **fields: Any) -> NodePlan:
    """Return the plan of one change of a hosts.toml, which needs no restart."""
    return NodePlan(**{"node": node or Node(name="n1", host="n1"), "changes": (CHANGE,), **fields})


def order_of(
    plan: NodePlan | None = None, settings: SshSettings | None = None, **fields: Any
) -> WorkOrder:
    """Return the order of rollout r1; nothing in it waits, and no guard is armed."""
    order = {
        "plan": plan or plan_of(),
        "rollout": "r1",
        "operator": "eve@there",
        "access": Access(ssh=settings or SshSettings()),
        "deadlines": Deadlines(restart=0, health=0, soak=0, guard=0),
    }
    return WorkOrder(**{**order, **fields})
