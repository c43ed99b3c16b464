"""The desired config of each node: mirrors.yaml with the overrides that match it."""

from __future__ import annotations

from collections.abc import Callable

from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Foreign, MirrorConfig
from fleet.core.model.node import Node
from fleet.core.render.base import DesiredConfig
from fleet.core.selection.patterns import override_matches


def desired_config_by_node(
    inventory: Inventory, config: MirrorConfig, foreign: Foreign, *, full_default: bool = False
) -> Callable[[Node], DesiredConfig]:
    """Return a function from a node to its desired config; nodes with equal config share it."""
    texts = tuple(override.match for override in config.overrides)
    matches = override_matches(inventory, texts)
    shared: dict[frozenset[str], DesiredConfig] = {}

    def desired_config(node: Node) -> DesiredConfig:
        key = matches.get(node.name, frozenset())
        if key not in shared:
            shared[key] = DesiredConfig(config.for_groups(key), full_default, foreign)
        return shared[key]

    return desired_config
