"""Control plane nodes: their evidence, and the limit on how many may be unavailable together."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field

from fleet.core.model.etcd import Etcd
from fleet.core.model.facts import NodeFacts
from fleet.core.model.health import health_problem
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import parse_size
from fleet.core.text.counts import counted

_GROUPS = {
    *("control_plane", "controlplane", "kube_control_plane", "kube_master", "master", "masters"),
    *("etcd", "controller", "controllers", "initial_controller"),
    *("server", "k3s_server", "k3s_servers", "rke2_server", "rke2_servers"),
}
"""Names that inventories of other tools give to a control plane's groups."""


@dataclass(frozen=True, slots=True)
class Availability:
    """The role of a node, and why it may be unavailable, as a survey found it.

    `control_plane` is the evidence that it is a control plane node: processes, manifests, units.
    `pending` is the id of an unconfirmed change on the node, `holder` the rollout that has its
    lock, `unhealthy` why it is not healthy. `ends_unhealthy` is whether a rollback restores a state
    in which it was not healthy. `etcd` is what the node says about etcd.
    """

    control_plane: tuple[str, ...] = ()
    pending: str = ""
    holder: str = ""
    unhealthy: str = ""
    ends_unhealthy: bool = False
    etcd: Etcd | None = None

    def down(self, rollout: str) -> str:
        """Return why the node is unavailable before this rollout changes it; empty if it is not."""
        if self.unhealthy:
            return self.unhealthy
        if self.pending:
            return f"change {self.pending} is unconfirmed"
        return f"locked by rollout {self.holder}" if self.holder not in {"", rollout} else ""


def availability(facts: NodeFacts) -> Availability:
    """Return a node's role and availability from its facts."""
    holder = (facts.lock or "").partition("\n")[0]
    pending = facts.pending.rollout if facts.pending else ""
    return Availability(
        facts.machine.control_plane,
        pending,
        holder,
        health_problem(facts),
        etcd=facts.machine.etcd,
    )


def assumed(node: Node) -> Availability:
    """Return the assumed role of a node that did not answer, from the names of its groups."""
    names = (name for name in node.groups if name.lower().replace("-", "_") in _GROUPS)
    return Availability(tuple(f"group {name}" for name in names), unhealthy="no answer")


def outsiders(
    inventory: Inventory, selected: Container[str], roles: Mapping[str, Collection[str]]
) -> tuple[Node, ...]:
    """Return the nodes outside a selection that may be control plane nodes.

    `roles` is the evidence by node from the journal. A node that is a worker in it is left out,
    unless a group's name says otherwise. A node that is not in it counts as one.
    """
    return tuple(
        node
        for node in inventory.nodes
        if node.name not in selected
        and (node.name not in roles or roles[node.name] or assumed(node).control_plane)
    )


@dataclass(frozen=True, slots=True)
class ControlPlaneLimit:
    """The control plane nodes of a rollout, and how many of them may be unavailable together.

    `down` is why a node is already unavailable, by name. `known` is whether a finished node is
    available, if it was probed again since. Nodes in `ends_unhealthy` are unhealthy once their
    rollback is done. `no_quorum` is why none that is available may be taken down; empty if one may.
    """

    nodes: frozenset[str] = frozenset()
    most: int = 1
    down: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, bool] = field(default_factory=dict)
    ends_unhealthy: frozenset[str] = frozenset()
    no_quorum: str = ""

    def takes(self, name: str, status: NodeStatus) -> bool:
        """Return whether a node in this status counts as unavailable."""
        if name not in self.nodes:
            return False
        if status.changing:
            return True
        if name in self.known:
            return not self.known[name]
        if name in self.ends_unhealthy and status is NodeStatus.CONVERGED:
            return True
        return status in _UNAVAILABLE or (name in self.down and status not in _RESTORED)

    def reason(self, waiting: Iterable[str], nodes: Mapping[str, NodeStatus]) -> str:
        """Return why waiting nodes are not started: other nodes or members are unavailable."""
        if self.no_quorum:
            return (
                f"{self.no_quorum}. So {', '.join(waiting)} must stay up. Repair the members of"
                " etcd (see their logs with `crictl logs` or `journalctl` on their nodes), then"
                " resume the rollout"
            )
        down = [name for name in self.down if name not in nodes]
        down += [name for name, status in nodes.items() if self.takes(name, status)]
        unavailable = ", ".join(f"{name} ({self.down.get(name) or nodes[name]})" for name in down)
        return (
            f"{counted(len(down), 'control plane node')} unavailable: {unavailable}. So"
            f" {', '.join(waiting)} must stay up. Fix what is down, then resume the rollout, or set"
            " a greater max_unavailable for the control plane's group"
        )


_UNAVAILABLE = {NodeStatus.UNREACHABLE, NodeStatus.NO_ACCESS, NodeStatus.DEGRADED}


_RESTORED = {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK}


def control_plane_limit(
    inventory: Inventory,
    availabilities: Mapping[str, Availability],
    rollout: str,
    known: Mapping[str, bool] | None = None,
) -> ControlPlaneLimit:
    """Return the control plane's limit: 1, unless the inventory gives it a greater number."""
    members = frozenset(name for name, role in availabilities.items() if role.control_plane)
    reasons = {name: availabilities[name].down(rollout) for name in sorted(members)}
    down = {name: reason for name, reason in reasons.items() if reason}
    nodes = {node.name: node for node in inventory.nodes}
    most = min((_inventory_limit(inventory, nodes[name], members) for name in members), default=1)
    ends_unhealthy = frozenset(name for name in members if availabilities[name].ends_unhealthy)
    return ControlPlaneLimit(members, most, down, known or {}, ends_unhealthy)


def _inventory_limit(inventory: Inventory, node: Node, members: frozenset[str]) -> int:
    """Return the limit that the inventory sets for a control plane node: a number above 1.

    It counts if it is set on the node itself or on a group of only control plane nodes. A
    percentage, or a number on a group with workers, does not count. A group's own limit
    applies in addition to this one.
    """
    groups = [inventory.groups[name] for name in node.groups if name in inventory.groups]
    texts = [group.max_unavailable for group in groups if set(group.nodes) <= members]
    origin = node.origins.get("max_unavailable")
    inherited = any(
        (given := group.values.get("max_unavailable")) and given.origin == origin
        for group in groups
    )
    sizes = [_plain_number(text) for text in (*texts, None if inherited else node.max_unavailable)]
    return min((size for size in sizes if size > 1), default=1)


def _plain_number(text: str | None) -> int:
    """Return a size that is a plain number; 0 for a percentage or for None."""
    if text is None:
        return 0
    size = parse_size(text, "max_unavailable")
    return 0 if size.percent else size.number
