"""Pulls by kubelet in a real cluster, traces on its Nodes, and the rights that all of it needs."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import Lab
from tests.lab.kubernetes.cluster import Cluster
from tests.support.fleet import Fleet, Ran
from tests.support.lab_cluster import cluster_of, user_with, write_inventory
from tests.support.schemas import fits

# A first build of Kubernetes takes 5 minutes on two idle cores, and more beside other tests.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]
BUSYBOX = "docker.io/library/busybox:1.36"
FLAKY = "https://flaky.lab.test"
MIRRORS = f"""version: 1
mirrors:
  docker.io: {{endpoints: [{FLAKY}, https://registry.lab.test], verify: {BUSYBOX}}}
"""
STRICT = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {
        "name": "strict",
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
    },
}
PULLER = [
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hub", "namespace": "strict"},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {
            ".dockerconfigjson": json.dumps(
                {"auths": {"https://index.docker.io/v1/": {"username": "lab", "password": "lab"}}}
            )
        },
    },
    {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "puller", "namespace": "strict"},
        "imagePullSecrets": [{"name": "hub"}],
    },
]


@pytest.fixture
def cluster(cluster_lab: Lab, cluster_fleet: Fleet) -> Iterator[Cluster]:
    """Return the cluster, whose nodes pull from the flaky mirror first."""
    cluster_fleet.write("mirrors.yaml", MIRRORS)
    done = cluster_fleet("rollout", "-y", "--batch", "3", "--soak", "0", "--no-verify")
    assert done.code == 0, done.text
    found = cluster_of(cluster_lab)
    apply(found, STRICT)
    yield found
    cluster_lab.flaky.mode("ok")


def apply(cluster: Cluster, *objects: Any) -> None:
    data = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.plane.kubectl("apply", "-f", "-", stdin=json.dumps(data))


def pods_of(cluster: Cluster) -> list[str]:
    selector = "app.kubernetes.io/component=verification"
    items = cluster.get("pods", "--all-namespaces", "-l", selector)["items"]
    return [pod["metadata"]["name"] for pod in items]


def verified(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return the result of each node's pull."""
    fits("verify", ran.json)
    return {name: node["verified"][0] for name, node in ran.json["nodes"].items()}


def images(lab: Lab) -> str:
    """Return what is left of the image on the nodes."""
    listed = "ctr -n k8s.io images ls -q | grep busybox; ls /var/lib/fleet/proof* 2>/dev/null"
    return "".join(node.sh(listed, check=False).stdout for node in lab.nodes.values())


def test_kubelet_pulls_from_the_mirrors_and_nothing_is_left(
    cluster_lab: Lab, cluster_fleet: Fleet, cluster: Cluster
) -> None:
    began = time.time()
    cluster.plane.kubectl("cordon", "trixie1")
    try:
        ran = cluster_fleet("verify", "--pod", "--pod-namespace", "strict", "--json")
    finally:
        cluster.plane.kubectl("uncordon", "trixie1")
    cluster_lab.nodes["forky1"].sh("mv /usr/local/bin/crictl /run/lab-crictl", check=False)
    without = cluster_fleet("verify", "--pod", "-l", "forky1", "--json")
    cluster_lab.nodes["forky1"].sh("mv /run/lab-crictl /usr/local/bin/crictl", check=False)

    results = verified(ran)
    remotes = {entry.remote for entry in cluster_lab.flaky.access(began) if "/blobs/" in entry.path}
    assert ran.code == 0, ran.text
    assert {(pull["via"], pull["mirror"]) for pull in results.values()} == {
        ("kubelet", "flaky.lab.test")
    }
    assert set(results) == set(cluster_lab.nodes)
    assert all(any(node.address in to for to in remotes) for node in cluster_lab.nodes.values())
    assert without.json["nodes"]["forky1"]["liveness"]["state"] == "live"
    assert verified(without)["forky1"]["mirror"] == "flaky.lab.test"
    assert (pods_of(cluster), images(cluster_lab)) == ([], "")


def test_pull_secrets_reach_the_mirror_and_a_failure_has_the_words_of_kubelet(
    cluster_lab: Lab, cluster_fleet: Fleet, cluster: Cluster
) -> None:
    apply(cluster, *PULLER)
    cluster_fleet.write("mirrors.yaml", MIRRORS.replace(", https://registry.lab.test", ""))
    cluster_fleet("rollout", "-y", "--batch", "3", "--soak", "0", "--no-verify")
    cluster_lab.flaky.mode("login")
    words = ("verify", "--pod", "--pod-namespace", "strict", "--json")
    without = cluster_fleet(*words)
    with_account = cluster_fleet(*words, "--pod-service-account", "puller")
    with_secret = cluster_fleet(*words, "-l", "forky1", "--pod-pull-secret", "hub")

    assert without.code == 1
    for pull in verified(without).values():
        assert not pull["ok"]
        assert pull["detail"].startswith("ErrImagePull: ")
        assert "flaky.lab.test (name): 401 Unauthorized" in pull["detail"]
    for ran in (with_account, with_secret):
        assert ran.code == 0, ran.text
        assert {pull["mirror"] for pull in verified(ran).values()} == {"flaky.lab.test"}
    assert pods_of(cluster) == []


def test_what_a_killed_run_has_left_goes_the_next_time(
    cluster_lab: Lab, cluster_fleet: Fleet, cluster: Cluster
) -> None:
    running = cluster_fleet.start("verify", "--pod")
    until = time.monotonic() + 60
    while not pods_of(cluster) and time.monotonic() < until:
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    left = pods_of(cluster)
    ran = cluster_fleet("verify", "--pod", "--json")

    assert left
    assert f"deleted {len(left)} verification pod" in ran.stderr
    assert {pull["mirror"] for pull in verified(ran).values()} == {"flaky.lab.test"}
    assert (pods_of(cluster), images(cluster_lab)) == ([], "")


MISSING = "the cluster lab does not allow this login to"
ONE = ("-y", "-l", "forky1", "--soak", "0", "--no-verify")
ROLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "no roles": ((), ("verify", "--pod", "-l", "forky1"), "list nodes"),
    "pods without a role": (
        ("read",),
        ("verify", "--pod", "-l", "forky1"),
        "create pods in the namespace default",
    ),
    "pods in another namespace": (
        ("read", "pods"),
        ("verify", "--pod", "-l", "forky1", "--pod-namespace", "strict"),
        "create pods in the namespace strict",
    ),
    "pods": (("read", "pods"), ("verify", "--pod", "-l", "forky1"), ""),
    "a rollout without a role": ((), ("rollout", *ONE), "list nodes"),
    "cordon without its role": (("read",), ("rollout", "--cordon", *ONE), "patch nodes"),
    "drain with the role for cordon": (
        ("read", "cordon"),
        ("rollout", "--drain", *ONE),
        "create pods/eviction in the namespace default",
    ),
    "cordon": (("read", "cordon"), ("rollout", "--cordon", *ONE), ""),
    "drain": (("read", "drain"), ("rollout", "--drain", *ONE), ""),
}
"""Roles of the documentation, a command, and the right that it lacks, if any."""


def test_each_role_allows_its_commands_and_no_others(
    cluster_lab: Lab, cluster_fleet: Fleet, cluster: Cluster
) -> None:
    found = {}
    for number, (name, (roles, words, _)) in enumerate(ROLES.items()):
        if words[0] == "rollout":  # so that there is something to do, with a restart
            write_inventory(cluster_fleet, cluster_lab)
            gone = cluster_fleet("remove", "-y", "-l", "forky1", "--soak", "0")
            assert gone.code == 0, gone.text
        kubeconfig = user_with(cluster, f"user-{number}", roles)
        write_inventory(cluster_fleet, cluster_lab, kubeconfig)
        found[name] = cluster_fleet(*words)

    for name, (roles, _, lacking) in ROLES.items():
        text = found[name].text
        assert (found[name].code == 0) is not lacking, text
        assert f"{MISSING} {lacking}" in text if lacking else "evicted" in text or name != "drain"
        assert text.count("no Events on Nodes: ") == ("rollout" in ROLES[name][1] and bool(roles))
    assert "kubernetes-rights.md" in found["pods without a role"].text
    nodes = cluster.get("nodes")["items"]
    assert not any(node["spec"].get("unschedulable") for node in nodes)


def events_of(cluster: Cluster, rollout: str) -> list[tuple[str, str, str]]:
    """Return node, type and reason of each Event of a rollout, in their order."""
    items = cluster.get("events", "-n", "default")["items"]
    # Times are in whole seconds, and both Events of a change may be of one second.
    items.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
    return [
        (event["involvedObject"]["name"], event["type"], event["reason"])
        for event in items
        if rollout in event["message"] and event["reportingComponent"] == "containerd-fleet"
    ]


def generation_of(cluster: Cluster, name: str) -> str | None:
    annotations = cluster.get("node", name)["metadata"]["annotations"]
    return annotations.get("containerd-fleet/generation")


def test_a_change_leaves_events_and_the_generation_on_its_node(
    cluster_lab: Lab, cluster_fleet: Fleet, cluster: Cluster
) -> None:
    write_inventory(cluster_fleet, cluster_lab, user_with(cluster, "tracer", ("read", "traces")))
    words = ("rollout", "-y", "--batch", "1", "--soak", "0", "--json")
    cluster_fleet.write("mirrors.yaml", MIRRORS.replace(FLAKY, f"{FLAKY}, https://other.lab.test"))
    first = cluster_fleet(*words, "-l", "forky1", "-M", "ticket 7")
    earlier = generation_of(cluster, "forky1")
    described = cluster.plane.kubectl("describe", "node", "forky1")
    cluster_lab.flaky.mode("500", client=cluster_lab.nodes["trixie1"].address)
    cluster_fleet.write("mirrors.yaml", MIRRORS.replace(", https://registry.lab.test", ""))
    second = cluster_fleet(
        *words, "-l", "forky1:trixie1", "--on-failure", "rollback-all", "--max-failures", "0"
    )
    cluster_lab.flaky.mode("ok", client=cluster_lab.nodes["trixie1"].address)

    name = first.json["rollout"]
    assert first.code == 0, first.text
    assert events_of(cluster, name) == [
        ("forky1", "Normal", "RegistryConfigChanging"),
        ("forky1", "Normal", "RegistryConfigChanged"),
    ]
    assert f"({name}" not in described
    assert f"rollout {name} of " in described
    assert ": ticket 7)" in described
    assert earlier == name
    assert "no Events" not in first.stderr
    halted = events_of(cluster, second.json["rollout"])
    assert [event[1:] for event in halted if event[0] == "trixie1"] == [
        ("Normal", "RegistryConfigChanging"),
        ("Warning", "RegistryConfigReverted"),
    ]
    assert generation_of(cluster, "forky1") == name
    assert generation_of(cluster, "trixie1") != second.json["rollout"]


def test_a_change_whose_fleet_was_killed_gets_its_end_from_the_resume(
    cluster_lab: Lab, cluster_fleet: Fleet, cluster: Cluster
) -> None:
    cluster_fleet.write("mirrors.yaml", MIRRORS.replace(FLAKY, f"{FLAKY}, https://else.lab.test"))
    cluster_lab.flaky.mode("slow")
    running = cluster_fleet.start("rollout", "-y", "-l", "forky1", "--soak", "0")
    until = time.monotonic() + 60
    while not (begun := open_change(cluster)) and time.monotonic() < until:
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    cluster_lab.flaky.mode("ok")
    ended = cluster_fleet("resume", "-y", "--json")

    assert ended.code == 0, ended.text
    assert begun == ended.json["rollout"]
    assert [event[2] for event in events_of(cluster, begun)][:2] == [
        "RegistryConfigChanging",
        "RegistryConfigChanged",
    ]
    assert generation_of(cluster, "forky1") == begun


def open_change(cluster: Cluster) -> str:
    """Return the rollout that has begun on a node, and not ended; empty if there is none."""
    items = cluster.get("events", "-n", "default")["items"]
    reasons: dict[str, set[str]] = {}
    for event in items:
        if found := re.search(r"\(rollout (\S+) of ", event["message"]):
            reasons.setdefault(found[1], set()).add(event["reason"])
    return next((name for name, seen in reasons.items() if len(seen) == 1), "")
