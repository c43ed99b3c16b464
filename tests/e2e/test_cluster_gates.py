"""The gates of a real cluster: a node not Ready, one cordoned by a person, a container restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.kubernetes.cluster import Cluster
from tests.support.fleet import Fleet
from tests.support.lab_cluster import cluster_of
from tests.support.schemas import fits

# A first build of Kubernetes takes 5 minutes on two idle cores, and more beside other tests.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
QUICK = ("--soak", "0", "--no-verify", "--no-liveness", "--json")
NOT_READY = {
    "type": "Ready",
    "status": "False",
    "reason": "KubeletNotReady",
    "message": "container runtime is down",
}
RESTART = """
pod=$(ctr -n k8s.io containers ls 'labels."io.kubernetes.container.name"==app' -q | head -1)
ctr -n k8s.io tasks kill --signal SIGKILL "$pod"
"""


def mirrors_of(number: int) -> str:
    """Return a mirrors.yaml with a change of its own."""
    return f"mirrors: {{gates.test: {{endpoints: ['https://m{number}.gates.test']}}}}\n"


@contextmanager
def not_ready(lab: Lab, cluster: Cluster, name: str) -> Iterator[None]:
    """Stop a node's kubelet, and report for it that the node is not Ready, for the block."""
    lab.nodes[name].sh("systemctl stop kubelet")
    status = json.dumps({"status": {"conditions": [NOT_READY]}})
    try:
        cluster.plane.kubectl("patch", "node", name, "--subresource=status", "-p", status)
        yield
    finally:
        lab.nodes[name].sh("systemctl start kubelet")
        cluster.wait_ready()


@pytest.fixture
def cluster(cluster_lab: Lab, cluster_fleet: Fleet) -> Cluster:
    """Return the cluster, whose nodes already read certs.d: no later change restarts anything."""
    cluster_fleet.write("mirrors.yaml", mirrors_of(0))
    first = cluster_fleet("rollout", "-y", "--batch", "3", *QUICK)
    assert first.code == 0, first.text
    assert [gate["flagged"] for gate in first.json["gates"]] in ([], [{}, {}])
    return cluster_of(cluster_lab)


def test_a_node_that_is_not_ready_is_skipped_and_a_persons_cordon_stays(
    cluster: Cluster, cluster_lab: Lab, cluster_fleet: Fleet
) -> None:
    cluster_fleet.write("mirrors.yaml", mirrors_of(1))
    cluster.plane.kubectl("cordon", "forky1")
    with not_ready(cluster_lab, cluster, "trixie1"):
        ran = cluster_fleet("rollout", "-y", "--batch", "3", "--not-ready", "skip", *QUICK)
    cordoned = cluster.get("node", "forky1")["spec"].get("unschedulable")
    cluster.plane.kubectl("uncordon", "forky1")

    assert ran.code == 1, ran.text
    fits("rollout", ran.json)
    converged = dict.fromkeys(("bookworm1", "forky1"), "converged")
    assert statuses(ran.json) == {**converged, "trixie1": "failed"}
    failure = ran.json["nodes"]["trixie1"]["failure"]
    assert failure["kind"] == "cluster"
    assert "container runtime is down" in failure["message"]
    before, after = ran.json["gates"]
    assert (list(before["unavailable"]), before["excused"]) == (["trixie1"], ["trixie1"])
    assert "forky1: cordoned, and stays so" in before["notes"]
    assert after["flagged"] == {}
    assert cordoned is True


def test_a_container_that_restarts_halts_and_a_resume_goes_on(
    cluster: Cluster, cluster_lab: Lab, cluster_fleet: Fleet
) -> None:
    cluster_fleet.write("mirrors.yaml", mirrors_of(2))
    running = cluster_fleet.start("rollout", "-y", "--batch", "1,2", "--pause", "8", *QUICK)
    assert running.stderr is not None
    while "bookworm1: started" not in running.stderr.readline():
        assert running.poll() is None
    cluster_lab.nodes["bookworm1"].sh(RESTART)
    out, errors = running.communicate(timeout=120)
    halted = json.loads(out)

    resumed = cluster_fleet("resume", "-y", halted["rollout"], "--json")

    assert running.returncode == 3, errors
    assert halted["status"] == "halted"
    rest = dict.fromkeys(("trixie1", "forky1"), "pending")
    assert statuses(halted) == {"bookworm1": "converged", **rest}
    message = halted["nodes"]["bookworm1"]["failure"]["message"]
    assert "the container app of the pod" in message
    assert "has restarted" in message
    assert resumed.code == 0, resumed.text
    assert set(statuses(resumed.json).values()) == {"converged"}
