"""The inventory: nodes, groups, and values with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.core.model.node import Node, Origin


@dataclass(frozen=True, slots=True)
class InventoryValue:
    """A value that the inventory gives, and where."""

    value: str | int | bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of nodes; `nodes` holds the names of all members, nested ones included."""

    name: str
    nodes: tuple[str, ...]
    children: tuple[str, ...] = ()
    max_unavailable: str | None = None
    values: Mapping[str, InventoryValue] = field(default_factory=dict, compare=False, repr=False)
    """What the group says for its nodes; a node and a nearer group beat it."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All nodes in the order of the file, which is rollout order, and their groups."""

    nodes: tuple[Node, ...]
    groups: Mapping[str, Group]

    def beaten(self, node: Node) -> dict[str, list[InventoryValue]]:
        """Return, by key, what groups say for a node and something nearer said otherwise."""
        found: dict[str, list[InventoryValue]] = {}
        for name in node.groups:
            for key, each in self.groups[name].values.items():
                if each.origin != node.origins.get(key):
                    found.setdefault(key, []).append(each)
        return found
