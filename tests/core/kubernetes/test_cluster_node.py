"""Node objects as the API returns them: what is read, and what hostile ones cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.kubernetes.cluster_node import Condition, Taint, cluster_node

WHOLE = {
    "metadata": {
        "name": "w1.example.net",
        "uid": "u-1",
        "resourceVersion": "7",
        "labels": {"pool": "gpu", "odd": 3},
        "annotations": {"a": "b"},
    },
    "spec": {"unschedulable": True, "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]},
    "status": {
        "addresses": [
            {"type": "InternalIP", "address": "10.0.0.1"},
            {"type": "InternalIP", "address": "2001:DB8:0::1"},
            {"type": "InternalIP", "address": "$(reboot)"},
            {"type": "ExternalIP", "address": "192.0.2.1"},
            {"type": "Hostname", "address": "w1"},
        ],
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "PLEG"},
        ],
        "nodeInfo": {"containerRuntimeVersion": "containerd://1.7.24", "operatingSystem": "linux"},
    },
}


def test_a_node_object_is_read() -> None:
    node = cluster_node(WHOLE)

    assert node is not None
    assert (node.name, node.uid, node.resource_version) == ("w1.example.net", "u-1", "7")
    assert node.internal_ips == ("10.0.0.1", "2001:db8::1")
    assert node.addresses == ("10.0.0.1", "2001:db8::1", "192.0.2.1")
    assert node.hostname == "w1"
    assert (node.labels, node.annotations) == ({"pool": "gpu"}, {"a": "b"})
    assert node.unschedulable
    assert node.taints == (Taint("k", "NoSchedule", "v"),)
    assert node.conditions == {"Ready": Condition("Ready", "False", "KubeletNotReady", "PLEG")}
    assert node.ready == "False"
    assert node.container_runtime_version == "containerd://1.7.24"


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "-a", "A", "a b", "a\n", "a" * 254, 7, None], ids=repr
)
def test_an_object_without_a_valid_name_is_not_a_node(name: Any) -> None:
    assert cluster_node({"metadata": {"name": name}}) is None


@pytest.mark.parametrize("junk", [None, 3, "text", [1], {"a": {}}], ids=repr)
def test_other_shapes_are_read_as_empty(junk: Any) -> None:
    node = cluster_node({"metadata": {"name": "w1", "labels": junk}, "spec": junk, "status": junk})

    assert node is not None
    assert (node.internal_ips, node.taints, node.conditions) == ((), (), {})
    assert node.ready == "Unknown"
    assert not node.unschedulable
    assert cluster_node(junk) is None
