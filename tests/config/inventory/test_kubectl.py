"""kubectl's list of nodes: Linux nodes with their addresses, in groups by role."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.config.inventory.kubectl import as_inventory, is_node_list
from tests.support.values import plain

ROLE = "node-role.kubernetes.io/"


def node(name: str, **labels: str) -> dict[str, Any]:
    """Return a node as kubectl prints it, with labels by role."""
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {f"{ROLE}{key}": "" for key in labels}},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]},
    }


def groups(*items: Any) -> dict[str, Any]:
    """Return the hosts of each group."""
    children = plain(as_inventory({"items": list(items)}))["all"]["children"]
    return {name: group["hosts"] for name, group in children.items()}


DETECTED = {
    "kubectl's list": ({"kind": "List", "items": []}, True),
    "a list of nodes": ({"kind": "NodeList", "items": []}, True),
    "one node": ({"kind": "Node", "items": []}, False),
    "no items": ({"kind": "List"}, False),
    "items that are no list": ({"kind": "List", "items": {}}, False),
    "an inventory": ({"all": {"hosts": {}}}, False),
    "a list": ([], False),
    "a text": ("List", False),
}


@pytest.mark.parametrize(("data", "expected"), DETECTED.values(), ids=DETECTED)
def test_a_list_of_nodes_is_told_from_other_documents(data: Any, expected: bool) -> None:
    assert is_node_list(data) is expected


ROLES = {
    "none": ({}, ["workers"]),
    "a worker": ({"worker": ""}, ["workers"]),
    "the control plane": ({"control-plane": ""}, ["control_plane"]),
    "the old name of it": ({"master": ""}, ["control_plane"]),
    "both names of it": ({"master": "", "control-plane": ""}, ["control_plane"]),
    "another role": ({"big-gpu": ""}, ["big_gpu"]),
    "two roles": ({"worker": "", "gpu": ""}, ["workers", "gpu"]),
}


@pytest.mark.parametrize(("labels", "expected"), ROLES.values(), ids=ROLES)
def test_a_node_is_in_the_groups_of_its_roles(labels: dict[str, str], expected: list[str]) -> None:
    found = groups(node("w1", **labels))

    assert list(found) == expected
    assert all(hosts == {"w1": {"host": "10.0.0.1"}} for hosts in found.values())


def test_a_label_that_is_no_role_makes_no_group() -> None:
    item = node("w1")
    item["metadata"]["labels"] = {"kubernetes.io/arch": "amd64"}

    assert list(groups(item)) == ["workers"]


ADDRESSES = {
    "the internal one first": (
        [("Hostname", "h"), ("ExternalIP", "1.2.3.4"), ("InternalIP", "10.0.0.1")],
        "10.0.0.1",
    ),
    "then the external one": ([("Hostname", "h"), ("ExternalIP", "1.2.3.4")], "1.2.3.4"),
    "then the host name": ([("InternalDNS", "d"), ("Hostname", "h")], "h"),
    "an empty one is passed over": ([("InternalIP", ""), ("Hostname", "h")], "h"),
    "the first of its kind": ([("InternalIP", "10.0.0.1"), ("InternalIP", "::1")], "10.0.0.1"),
    "none: the name": ([], "w1"),
}


@pytest.mark.parametrize(("addresses", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_address_of_a_node(addresses: list[tuple[str, str]], expected: str) -> None:
    item = node("w1")
    item["status"]["addresses"] = [{"type": kind, "address": text} for kind, text in addresses]

    assert groups(item) == {"workers": {"w1": {"host": expected}}}


@pytest.mark.parametrize("status", [None, {}, {"addresses": None}, {"addresses": ["x", 7]}])
def test_a_node_without_readable_addresses_is_reached_by_its_name(status: Any) -> None:
    assert groups({**node("w1"), "status": status}) == {"workers": {"w1": {"host": "w1"}}}


ZONES = {
    "the label of today": ({"topology.kubernetes.io/zone": "a"}, "a"),
    "the label of before": ({"failure-domain.beta.kubernetes.io/zone": "b"}, "b"),
    "both": (
        {"failure-domain.beta.kubernetes.io/zone": "b", "topology.kubernetes.io/zone": "a"},
        "a",
    ),
    "an empty one": ({"topology.kubernetes.io/zone": ""}, None),
}


@pytest.mark.parametrize(("labels", "site"), ZONES.values(), ids=ZONES)
def test_the_zone_of_a_node_is_its_site(labels: dict[str, str], site: str | None) -> None:
    item = node("w1")
    item["metadata"]["labels"] = labels

    assert groups(item)["workers"]["w1"].get("site") == site


SKIPPED = {
    "a Windows node": {"status": {"nodeInfo": {"operatingSystem": "windows"}}},
    "another kind": {"kind": "Pod"},
    "no name": {"metadata": {}},
    "metadata of another type": {"metadata": "w1"},
}


@pytest.mark.parametrize("change", SKIPPED.values(), ids=SKIPPED)
def test_items_that_are_no_linux_nodes_are_passed_over(change: dict[str, Any]) -> None:
    assert groups({**node("w1"), **change}, node("w2")) == {"workers": {"w2": {"host": "10.0.0.1"}}}


@pytest.mark.parametrize("item", [None, "w1", 7, []])
def test_an_item_of_another_type_is_passed_over(item: Any) -> None:
    assert groups(item) == {}


def test_an_item_without_a_kind_is_a_node() -> None:
    item = node("w1")
    del item["kind"]

    assert list(groups(item)["workers"]) == ["w1"]
