"""Nodes of a cluster: those that fleet can work on, their roles, zones, labels and order."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.kubernetes.cluster_node import ClusterNode
from fleet.core.kubernetes.membership import (
    label_groups,
    natural_order,
    role_groups,
    unusable,
    zone,
)

ROLE = "node-role.kubernetes.io/"


def labeled(**labels: str) -> ClusterNode:
    return ClusterNode(name="w1", labels=labels)


REASONS = {
    "containerd": ({"container_runtime_version": "containerd://1.7.24"}, ""),
    "containerd that has not answered": ({"container_runtime_version": "containerd://Unknown"}, ""),
    "nothing said": ({}, ""),
    "CRI-O": ({"container_runtime_version": "cri-o://1.34.1"}, "CRI-O"),
    "Docker": ({"container_runtime_version": "docker://28.0.1"}, "Docker"),
    "another": ({"container_runtime_version": "rkt\x1b[2J://1"}, "another container runtime"),
    "Windows": ({"operating_system": "windows"}, "Windows"),
    "another system": ({"operating_system": "plan9\x1b"}, "not Linux"),
    "a virtual kubelet": ({"labels": {"type": "virtual-kubelet"}}, "a virtual kubelet"),
    "Fargate": ({"labels": {"eks.amazonaws.com/compute-type": "fargate"}}, "Fargate"),
}


@pytest.mark.parametrize(("fields", "reason"), REASONS.values(), ids=REASONS)
def test_why_a_node_is_left_out(fields: dict[str, Any], reason: str) -> None:
    assert unusable(ClusterNode(name="w1", **fields)) == reason


ROLES = {
    "none": ({}, ("workers",)),
    "a worker": ({f"{ROLE}worker": ""}, ("workers",)),
    "both names of the control plane": (
        {f"{ROLE}master": "", f"{ROLE}control-plane": ""},
        ("control_plane",),
    ),
    "two roles": ({f"{ROLE}worker": "", f"{ROLE}big-gpu": ""}, ("workers", "big_gpu")),
}


@pytest.mark.parametrize(("labels", "groups"), ROLES.values(), ids=ROLES)
def test_roles_are_groups(labels: dict[str, str], groups: tuple[str, ...]) -> None:
    assert role_groups(labeled(**labels)) == groups


def test_the_zone_is_the_newer_of_both_labels() -> None:
    old, new = "failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"

    assert zone(labeled(**{old: "a", new: "b"})) == "b"
    assert zone(labeled(**{old: "a", new: ""})) == "a"
    assert zone(labeled()) == ""


def test_each_label_makes_a_group_of_its_value_and_one_of_its_key() -> None:
    nodes = [
        ClusterNode(name="w1", labels={"pool": "gpu", "kubernetes.io/hostname": "w1"}),
        ClusterNode(name="w2", labels={"pool": "cpu", "a b": "\x1b[2J", "x": "$(id)"}),
    ]

    assert label_groups(nodes) == {
        "label:pool": ["w1", "w2"],
        "label:pool=cpu": ["w2"],
        "label:pool=gpu": ["w1"],
    }


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    names = ["w10", "w2", "a", "w2-b", "10"]

    found = [node.name for node in sorted(map(named, names), key=natural_order)]
    assert found == ["10", "a", "w2", "w2-b", "w10"]


def named(name: str) -> ClusterNode:
    return ClusterNode(name=name)
