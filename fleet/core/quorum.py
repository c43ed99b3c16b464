"""Control plane nodes: what makes a node one, and how many may be unavailable together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleet.core.batches import parse_size
from fleet.core.facts import NodeFacts
from fleet.core.model import Inventory, Node
from fleet.core.outcome import NodeStatus

_GROUPS = {
    *("control_plane", "controlplane", "kube_control_plane", "kube_master", "master", "masters"),
    *("etcd", "controller", "controllers", "initial_controller"),
    *("server", "k3s_server", "k3s_servers", "rke2_server", "rke2_servers"),
}
"""Names of groups that other tools' inventories give to a control plane."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What a survey says about taking a node down.

    `control_plane` is the evidence that it is a control plane node: processes, manifests, units.
    `pending` is the id of an unconfirmed change on the node, `holder` the rollout that holds it.
    """

    control_plane: tuple[str, ...] = ()
    pending: str = ""
    holder: str = ""
    ill: str = ""

    def down(self, rollout: str) -> str:
        """Return why the node counts as unavailable before this rollout changes it, or nothing."""
        if self.ill:
            return self.ill
        if self.pending:
            return f"change {self.pending} stands unconfirmed there"
        return f"rollout {self.holder} holds it" if self.holder not in {"", rollout} else ""


def availability(facts: NodeFacts) -> Availability:
    """Read off the facts whether a node is of a control plane, and whether it is available."""
    ill = ""
    if not facts.unit.running:
        ill = f"{facts.unit_name} is {facts.unit.active}/{facts.unit.sub}"
    elif facts.cri != "ok":
        ill = f"its CRI plugin is {facts.cri}"
    holder = (facts.lock or "").partition("\n")[0]
    pending = facts.pending.rollout if facts.pending else ""
    return Availability(facts.control_plane, pending, holder, ill)


def assumed(node: Node) -> Availability:
    """Return what is assumed of a node that did not answer: its groups say what it is."""
    names = (name for name in node.groups if name.lower().replace("-", "_") in _GROUPS)
    return Availability(tuple(f"group {name}" for name in names), ill="it did not answer")


@dataclass(frozen=True, slots=True)
class Quorum:
    """The control plane nodes of a rollout, and how many of them may be unavailable together.

    `down` says why a node is unavailable already. `known` says of nodes that are through, and were
    asked again since, whether they are available.
    """

    nodes: frozenset[str] = frozenset()
    most: int = 1
    down: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, bool] = field(default_factory=dict)

    def takes(self, name: str, status: NodeStatus) -> bool:
        """Return whether a node in this status takes one of the places."""
        if name not in self.nodes:
            return False
        if status.in_flight and status is not NodeStatus.STAGING:
            return True
        if name in self.known:
            return not self.known[name]
        return status in _LOST or (name in self.down and status not in _BACK)

    def reason(self, waiting: Iterable[str], nodes: Mapping[str, NodeStatus]) -> str:
        """Say why the nodes that wait are not started: others of the control plane are down."""
        down = [name for name in self.down if name not in nodes]
        down += [name for name, status in nodes.items() if self.takes(name, status)]
        told = ", ".join(f"{name} ({self.down.get(name) or nodes[name]})" for name in down)
        return (
            f"of the control plane {told} {'is' if len(down) == 1 else 'are'} not available, so"
            f" {', '.join(waiting)} must stay up; mend what is down, then `fleet resume` with this"
            " rollout's id, or give the control plane's group a greater max_unavailable"
        )


_LOST = {NodeStatus.UNREACHABLE, NodeStatus.DEGRADED}
_BACK = {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK}


def quorum(
    inventory: Inventory,
    asked: Mapping[str, Availability],
    rollout: str,
    known: Mapping[str, bool] | None = None,
) -> Quorum:
    """Return the control plane's limit: 1, unless the inventory gives it a greater number."""
    members = frozenset(name for name, each in asked.items() if each.control_plane)
    down = {name: why for name in sorted(members) if (why := asked[name].down(rollout))}
    nodes = {node.name: node for node in inventory.nodes}
    most = min((_said(inventory, nodes[name], members) for name in members), default=1)
    return Quorum(members, most, down, known or {})


def _said(inventory: Inventory, node: Node, members: frozenset[str]) -> int:
    """Return what the inventory says of a control plane node on purpose: a number above 1.

    It counts for the node itself or for a group that holds control plane nodes alone. A percentage,
    or a number for a group with workers, was not said of the control plane. A group's own limit
    holds beside this one.
    """
    groups = [inventory.groups[name] for name in node.groups if name in inventory.groups]
    texts = [group.max_unavailable for group in groups if set(group.nodes) <= members]
    origin = node.origins.get("max_unavailable")
    inherited = any(
        (given := group.values.get("max_unavailable")) and given.origin == origin
        for group in groups
    )
    sizes = [_number(text) for text in (*texts, None if inherited else node.max_unavailable)]
    return min((size for size in sizes if size > 1), default=1)


def _number(text: str | None) -> int:
    """Return a size that is a plain number; 0 for a percentage, or for nothing."""
    if text is None:
        return 0
    size = parse_size(text, "max_unavailable")
    return 0 if size.percent else size.number
