"""The inventory: nodes, groups, and values with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.core.model.node import ClusterSettings, Node, Origin

CLUSTER_SCHEME = "kube:"
"""Begins the name of an inventory that is a cluster, read live: `kube:CONTEXT`."""


def digest_text(path: str, digest: str | None) -> str:
    """Return the recorded digest of a file as text; a cluster is not a file, and has none."""
    if path.startswith(CLUSTER_SCHEME):
        return "(live)"
    return digest or "missing"


@dataclass(frozen=True, slots=True)
class InventoryValue:
    """A value in the inventory, with its place."""

    value: str | int | bool | ClusterSettings
    origin: Origin


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of nodes; `nodes` holds the names of all members, nested ones included."""

    name: str
    nodes: tuple[str, ...]
    children: tuple[str, ...] = ()
    max_unavailable: str | None = None
    values: Mapping[str, InventoryValue] = field(default_factory=dict, compare=False, repr=False)
    """The group's values for its nodes; values of a node and of a nearer group override them."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All nodes in the order of the file, which is the order of a rollout, and their groups."""

    nodes: tuple[Node, ...]
    groups: Mapping[str, Group]
    left_out: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Nodes of a cluster that fleet cannot work on, each with the reason."""

    def beaten(self, node: Node) -> dict[str, list[InventoryValue]]:
        """Return the overridden values of a node's groups, by key."""
        overridden: dict[str, list[InventoryValue]] = {}
        for name in node.groups:
            for key, value in self.groups[name].values.items():
                if value.origin != node.origins.get(key):
                    overridden.setdefault(key, []).append(value)
        return overridden
