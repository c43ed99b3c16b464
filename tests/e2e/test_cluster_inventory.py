"""The inventory of a real cluster: its nodes by their labels, and a login without rights."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab import Lab
from tests.lab.kubernetes.cluster import Cluster
from tests.support.fleet import Fleet
from tests.support.lab_cluster import cluster_of, user_with, write_inventory

# A first build of Kubernetes takes 5 minutes on two idle cores, and more beside other tests.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
CRIO = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "crio1"},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
        "nodeInfo": dict.fromkeys(
            (
                *("architecture", "bootID", "kernelVersion", "kubeProxyVersion", "kubeletVersion"),
                *("machineID", "osImage", "systemUUID"),
            ),
            "",
        )
        | {"containerRuntimeVersion": "cri-o://1.34.1", "operatingSystem": "linux"},
    },
}


@pytest.fixture
def cluster(cluster_lab: Lab) -> Iterator[Cluster]:
    """Return the cluster with a label on one node, and one more node that runs CRI-O."""
    found = cluster_of(cluster_lab)
    kubectl = found.plane.kubectl
    kubectl("label", "node", "trixie1", "pool=gpu")
    kubectl("create", "-f", "-", stdin=json.dumps(CRIO))
    status = json.dumps({"status": CRIO["status"]})
    kubectl("patch", "node", "crio1", "--subresource=status", "--type=merge", "-p", status)
    yield found
    kubectl("label", "node", "trixie1", "pool-")
    kubectl("delete", "node", "crio1")


def test_a_real_cluster_is_an_inventory(
    cluster: Cluster, cluster_lab: Lab, cluster_fleet: Fleet
) -> None:
    shown = cluster_fleet("inventory", "-i", "kube:lab")
    whole = cluster_fleet("inventory", "-i", "kube:", "--json").json
    probed = cluster_fleet("probe", "-i", "kube:lab", "-l", "label:pool=gpu", "--json")
    gone = cluster_fleet("probe", "-i", "kube:lab", "-l", "crio1")
    write_inventory(cluster_fleet, cluster_lab, user_with(cluster, "nobody", ()))
    refused = cluster_fleet("probe", "-i", "kube:")

    hosts = {name: node["values"]["host"]["value"] for name, node in whole["nodes"].items()}
    assert hosts == {name: node.address for name, node in cluster_lab.nodes.items()}
    assert whole["left_out"] == {"crio1": "CRI-O"}
    assert "kube:lab: warning: left out 1 node (CRI-O): crio1" in shown.stderr
    assert [*probed.json["nodes"]] == ["trixie1"]
    assert probed.json["nodes"]["trixie1"]["containerd"].startswith("1.7")
    assert (gone.code, "crio1 is left out: CRI-O" in gone.stderr) == (2, True)
    assert refused.code == 2
    assert "does not allow this login to list nodes" in refused.stderr
