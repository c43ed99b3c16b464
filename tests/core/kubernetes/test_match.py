"""The match of the inventory's nodes with Node objects: key, address, name, what is ambiguous."""

from __future__ import annotations

from typing import Any

from fleet.core.kubernetes.cluster_node import ClusterNode
from fleet.core.kubernetes.match import match_nodes
from fleet.core.model.node import Node


def item(name: str, *ips: str, hostname: str = "") -> ClusterNode:
    return ClusterNode(name=name, internal_ips=ips, hostname=hostname)


def node(name: str, **settings: Any) -> Node:
    return Node(name=name, **{"host": name, **settings})


def matched(nodes: list[Node], *items: ClusterNode) -> tuple[dict[str, str], dict[str, str]]:
    """Return the Node object of each node, and the messages about the others."""
    match = match_nodes(nodes, items)
    names = {name: found.name for name, found in match.nodes.items()}
    return names, {name: failure.message for name, failure in match.failures.items()}


def test_the_key_wins_over_the_address() -> None:
    nodes = [node("a", host="10.0.0.1", kubernetes_node="w2")]

    assert matched(nodes, item("w1", "10.0.0.1"), item("w2", "10.0.0.2")) == ({"a": "w2"}, {})


def test_the_address_wins_over_the_name() -> None:
    nodes = [node("w1", host="10.0.0.2")]

    assert matched(nodes, item("w1", "10.0.0.1"), item("w2", "10.0.0.2")) == ({"w1": "w2"}, {})


def test_addresses_are_compared_as_addresses() -> None:
    nodes = [node("a", host="2001:db8:0::1")]

    assert matched(nodes, item("w1", "2001:db8::1")) == ({"a": "w1"}, {})


def test_a_name_is_the_objects_name_or_its_hostname() -> None:
    nodes = [node("W1"), node("b", host="node-2.example.net")]

    assert matched(nodes, item("w1"), item("w2", hostname="Node-2.example.net")) == (
        {"W1": "w1", "b": "w2"},
        {},
    )


def test_a_key_that_names_nothing_is_a_failure() -> None:
    assert matched([node("a", kubernetes_node="w9")], item("a")) == (
        {},
        {"a": "the cluster has no Node w9, which `kubernetes_node` names"},
    )


def test_a_node_that_the_cluster_does_not_know_is_a_failure() -> None:
    assert matched([node("a", host="10.0.0.9")], item("w1", "10.0.0.1")) == (
        {},
        {"a": "the cluster has no Node with the address or name 10.0.0.9"},
    )


def test_of_two_objects_with_one_address_the_one_of_the_same_name_is_taken() -> None:
    nodes = [node("w1", host="10.0.0.1")]

    assert matched(nodes, item("old", "10.0.0.1"), item("w1", "10.0.0.1")) == ({"w1": "w1"}, {})


def test_two_objects_with_one_address_and_other_names_are_a_failure() -> None:
    nodes = [node("a", host="10.0.0.1")]

    assert matched(nodes, item("w2", "10.0.0.1"), item("w1", "10.0.0.1")) == (
        {},
        {"a": "several Nodes of the cluster match: w1, w2"},
    )


def test_two_nodes_with_one_object_are_a_failure_of_both() -> None:
    nodes = [node("a", host="10.0.0.1"), node("w1", host="192.0.2.1"), node("w2")]

    assert matched(nodes, item("w1", "10.0.0.1"), item("w2")) == (
        {"w2": "w2"},
        {
            "a": "its Node w1 in the cluster is also matched by w1",
            "w1": "its Node w1 in the cluster is also matched by a",
        },
    )
