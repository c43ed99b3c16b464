"""A node of the inventory and the origin of its values."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.model.node import Node, Origin

ORIGIN = Origin("inventory.yaml", 3, 5, "group edge")


def test_an_origin_is_written_as_editors_write_places() -> None:
    assert str(ORIGIN) == "inventory.yaml:3:5 (group edge)"


def test_a_setting_that_the_inventory_does_not_name_is_none() -> None:
    node = Node(name="a", host="10.0.0.1")

    assert (node.port, node.user, node.become, node.jump, node.distro) == (None,) * 5
    assert (node.order, node.groups) == (0, ())


def test_the_place_of_a_value_makes_no_other_node() -> None:
    node = Node(name="a", host="10.0.0.1")

    assert replace(node, origins={"host": ORIGIN}) == node
