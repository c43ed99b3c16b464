"""The lab's cluster is a real one: Ready nodes, pods that serve, and nothing left behind."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest

from tests.lab import Lab
from tests.lab.crictl import compiler
from tests.lab.kubernetes.cluster import Cluster, condition
from tests.lab.kubernetes.kubelet import SUITES
from tests.lab.test_lab import left_behind

# A first build of Kubernetes takes 5 minutes on two idle cores, and more beside other tests.
pytestmark = [pytest.mark.node, pytest.mark.timeout(3600)]


@pytest.fixture
def cluster() -> Cluster:
    """Return the cluster of a lab that was booted with one."""
    if compiler() is None:
        pytest.skip("NOT TESTED: Kubernetes is built with Go, and this machine has none")
    found = Lab.up(len(SUITES), SUITES, kubernetes=True).cluster
    assert found is not None
    return found


def test_nodes_are_ready_pods_serve_and_down_leaves_nothing(cluster: Cluster) -> None:
    nodes = cluster.get("nodes")["items"]
    pods = cluster.get("pods", "--all-namespaces")["items"]
    running = [(pod["spec"]["nodeName"], owner(pod)) for pod in pods if is_ready(pod)]
    served = {ask(pod) for pod in pods if owner(pod) == "ReplicaSet"}
    names = {pod["metadata"]["name"] for pod in pods if owner(pod) == "ReplicaSet"}
    budget = cluster.get("poddisruptionbudget", "web")["status"]["disruptionsAllowed"]
    Lab.down()

    assert {node["metadata"]["name"]: condition(node, "Ready") for node in nodes} == {
        f"{suite}1": "True" for suite in SUITES
    }
    assert sorted(running) == sorted(
        (f"{suite}1", kind) for suite in SUITES for kind in ("DaemonSet", "Node", "ReplicaSet")
    )
    assert served == names
    assert budget == 1
    assert list(left_behind()) == []


def test_a_lab_without_a_cluster_is_another_lab(cluster: Cluster) -> None:
    again = Lab.up(len(SUITES), SUITES, kubernetes=True)
    same = again.cluster == cluster and cluster.is_up
    plain = Lab.up(len(SUITES), SUITES)

    assert same
    assert plain.cluster is None
    assert not cluster.is_up


def owner(pod: dict[str, Any]) -> str:
    """Return the kind that owns a pod; a static pod is owned by its node."""
    return str(pod["metadata"]["ownerReferences"][0]["kind"])


def is_ready(pod: dict[str, Any]) -> bool:
    """Return whether all containers of a pod are ready."""
    return condition(pod, "Ready") == "True"


def ask(pod: dict[str, Any]) -> str:
    """Return what a pod's web server answers: its name."""
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/", timeout=5) as reply:
        return str(reply.read().decode().strip())
