"""The desired config of each node, by the overrides that match it."""

from __future__ import annotations

from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.mirror import Foreign, MirrorConfig, Override
from fleet.core.model.node import Node
from fleet.core.render.base import DesiredConfig
from fleet.core.render.desired import desired_config_by_node
from tests.support.build import registry

NODES = {name: Node(name=name, host=name) for name in ("a", "b", "c")}
INVENTORY = Inventory(
    tuple(NODES.values()),
    {"all": Group("all", ("a", "b", "c")), "edge": Group("edge", ("a", "b"))},
)
PLAIN, EDGE, ONLY_B = (registry("docker.io", f"https://{name}") for name in ("plain", "edge", "b"))
CONFIG = MirrorConfig(
    (PLAIN,), (Override("edge", {"docker.io": EDGE}), Override("b", {"docker.io": ONLY_B}))
)


def test_a_node_has_the_registries_of_the_overrides_that_match_it() -> None:
    desired = desired_config_by_node(INVENTORY, CONFIG, Foreign.ADOPT)

    assert {name: desired(node).registries for name, node in NODES.items()} == {
        "a": (EDGE,),
        "b": (ONLY_B,),
        "c": (PLAIN,),
    }


def test_the_policy_and_the_default_config_are_those_of_the_command() -> None:
    desired = desired_config_by_node(INVENTORY, CONFIG, Foreign.KEEP, full_default=True)

    assert desired(NODES["c"]) == DesiredConfig((PLAIN,), True, Foreign.KEEP)


def test_nodes_with_equal_config_share_it() -> None:
    config = MirrorConfig((PLAIN,), (Override("edge", {"docker.io": EDGE}),))
    desired = desired_config_by_node(INVENTORY, config, Foreign.ADOPT)

    assert desired(NODES["a"]) is desired(NODES["b"])
    assert desired(NODES["a"]) is not desired(NODES["c"])


def test_a_node_outside_of_the_inventory_has_no_override() -> None:
    desired = desired_config_by_node(INVENTORY, CONFIG, Foreign.ADOPT)

    assert desired(Node(name="x", host="x")).registries == (PLAIN,)
