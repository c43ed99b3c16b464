"""The inventory: values of groups that a node or a nearer group overrides."""

from __future__ import annotations

from fleet.core.model.inventory import Group, Inventory, InventoryValue, digest_text
from fleet.core.model.node import Node, Origin


def value(text: str, line: int) -> InventoryValue:
    return InventoryValue(text, Origin("inventory.yaml", line, 1, "group"))


FAR, NEAR, OWN = value("far", 1), value("near", 2), value("own", 3)
GROUPS = {
    "all": Group("all", ("a",), values={"user": FAR, "jump": FAR}),
    "edge": Group("edge", ("a",), values={"user": NEAR}),
}


def inventory(origins: dict[str, Origin]) -> tuple[Inventory, Node]:
    node = Node(name="a", host="a", groups=("all", "edge"), origins=origins)
    return Inventory((node,), GROUPS), node


def test_values_of_farther_groups_are_overridden() -> None:
    whole, node = inventory({"user": NEAR.origin, "jump": FAR.origin})

    assert whole.beaten(node) == {"user": [FAR]}


def test_a_value_of_the_node_overrides_those_of_all_groups() -> None:
    whole, node = inventory({"user": OWN.origin, "jump": FAR.origin})

    assert whole.beaten(node) == {"user": [FAR, NEAR]}


def test_values_of_other_groups_are_not_its_own() -> None:
    whole, node = inventory({})
    other = Node(name="b", host="b", groups=())

    assert whole.beaten(other) == {}
    assert set(whole.beaten(node)) == {"user", "jump"}


def test_the_digest_of_a_cluster_is_not_missing() -> None:
    shown = [digest_text(*pair) for pair in (("a", "0f"), ("a", None), ("kube:lab", None))]

    assert shown == ["0f", "missing", "(live)"]
