"""Drains in a real cluster: budgets, a fleet that is killed in mid-drain, and people's cordons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fleet.core.kubernetes.cordon import ANNOTATION
from tests.lab import Lab
from tests.lab.kubernetes.cluster import Cluster
from tests.support.fleet import Fleet
from tests.support.lab_cluster import cluster_of
from tests.support.schemas import fits

# A first build of Kubernetes takes 5 minutes on two idle cores, and more beside other tests.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
QUICK = ("-y", "--batch", "1", "--soak", "0")
MIRRORS = "version: 1\nmirrors:\n  docker.io:\n    endpoints: [https://registry.lab.test]\n"


@pytest.fixture
def cluster(cluster_lab: Lab, cluster_fleet: Fleet) -> Iterator[Cluster]:
    """Return the cluster, whose nodes have no registry config; a person has cordoned forky1."""
    cluster = cluster_of(cluster_lab)
    cluster_fleet.write("mirrors.yaml", MIRRORS)
    removed = cluster_fleet("remove", *QUICK)
    assert removed.code == 0, removed.text
    cluster.plane.kubectl("cordon", "forky1")
    yield cluster
    allow(cluster, 1)
    cluster.plane.kubectl("uncordon", "forky1")


def allow(cluster: Cluster, pods: int) -> None:
    """Let the budget of the Deployment allow as many pods to be down."""
    patch = json.dumps({"spec": {"maxUnavailable": pods}})
    cluster.plane.kubectl("patch", "pdb", "web", "--type", "merge", "-p", patch)


def cordons(cluster: Cluster) -> dict[str, bool]:
    """Return the cordoned nodes, and whether fleet has marked them."""
    nodes: list[dict[str, Any]] = cluster.get("nodes")["items"]
    return {
        node["metadata"]["name"]: ANNOTATION in node["metadata"].get("annotations", {})
        for node in nodes
        if node["spec"].get("unschedulable") or ANNOTATION in node["metadata"]["annotations"]
    }


def killed_in_mid_drain(fleet: Fleet, *words: str) -> str:
    """Run fleet until a budget blocks its drain, and kill it; return the line about that."""
    running = fleet.start(*words, *QUICK, "--drain", "--drain-timeout", "200")
    assert running.stderr is not None
    line = ""
    while " blocked: " not in line:
        line = running.stderr.readline()
        assert line, running.communicate()
    running.kill()
    running.communicate()
    return line


def test_what_fleet_cordons_is_uncordoned_after_a_timeout_a_resume_and_an_unlock(
    cluster: Cluster, cluster_fleet: Fleet
) -> None:
    allow(cluster, 0)
    name = cluster.get("pods", "-l", "app=web")["items"][0]["spec"]["nodeName"]
    blocked = cluster_fleet(
        "rollout", *QUICK, "-l", name, "--no-verify", "--drain", "--drain-timeout", "3", "--json"
    )
    after_timeout = cordons(cluster)
    line = killed_in_mid_drain(cluster_fleet, "rollout", "--no-verify")
    in_rollout = cordons(cluster)
    allow(cluster, 1)
    resumed = cluster_fleet("resume", "-y", "--json")
    after_resume = cordons(cluster)
    allow(cluster, 0)
    killed_in_mid_drain(cluster_fleet, "undo")
    in_undo = cordons(cluster)
    unlocked = cluster_fleet("unlock", "-y", "last", "--json")

    fits("rollout", blocked.json)
    node = blocked.json["nodes"][name]
    assert (blocked.code, node["status"], node["changed"]) == (3, "failed", False)
    assert (node["failure"]["kind"], node["held"]) == ("drain", False)
    assert "PodDisruptionBudget default/web" in node["failure"]["message"]
    assert "PodDisruptionBudget default/web needs 3 healthy pods and has 3 currently" in line
    assert resumed.code == 0, resumed.text
    drains = [node["drain"] for node in resumed.json["nodes"].values() if node["drain"]]
    assert any(pod.startswith("default/web-") for drain in drains for pod in drain["evicted"])
    assert unlocked.code == 0, unlocked.text
    fits("unlock", unlocked.json)
    assert any(node["uncordoned"] for node in unlocked.json["nodes"].values())
    assert [marked for _, marked in sorted(in_rollout.items())].count(True) == 1
    assert list(in_undo.values()).count(True) == 1
    assert after_timeout == after_resume == cordons(cluster) == {"forky1": False}
