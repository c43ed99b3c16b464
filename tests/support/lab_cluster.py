"""The lab's cluster for tests: the fleet command in front of it, and users with chosen rights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.lab import Lab
from tests.lab.kubernetes.cluster import Cluster
from tests.lab.kubernetes.control_plane import API
from tests.support.fleet import Fleet

MANIFESTS = Path(__file__).parents[2] / "docs" / "kubernetes"


def cluster_of(lab: Lab) -> Cluster:
    """Return the cluster of a lab that was booted with one."""
    assert lab.cluster is not None
    return lab.cluster


def write_inventory(fleet: Fleet, lab: Lab, kubeconfig: Path | None = None) -> None:
    """Write an inventory of the lab's nodes, in the cluster of a kubeconfig."""
    about = {"kubeconfig": str(kubeconfig or cluster_of(lab).kubeconfig)}
    hosts = {name: {"host": node.address} for name, node in lab.nodes.items()}
    data = {"all": {"vars": {"user": "root", "kubernetes": about}, "hosts": hosts}}
    fleet.write("inventory.yaml", json.dumps(data))


def user_with(cluster: Cluster, name: str, roles: Sequence[str]) -> Path:
    """Return the kubeconfig of a user who has these roles of the documentation alone."""
    plane = cluster.plane
    plane.authority.issue(name, f"/CN={name}")
    plane.authority.kubeconfig(name, API, plane.kubeconfig(name))
    for role in roles:
        plane.kubectl("apply", "-f", str(MANIFESTS / f"{role}.yaml"))
        for kind in ("ClusterRole", "Role"):
            bind(cluster, name, f"fleet-{role}", kind)
    return plane.kubeconfig(name)


def bind(cluster: Cluster, user: str, role: str, kind: str) -> None:
    """Bind a role to a user, if there is one of that kind."""
    where = () if kind == "ClusterRole" else ("-n", "default")
    found = cluster.plane.kubectl("get", kind, role, *where, "--ignore-not-found", "-o", "name")
    if found.strip():
        flag = f"--{kind.lower()}={role}"
        words = ("create", f"{kind.lower()}binding", f"{user}-{role}", flag, f"--user={user}")
        cluster.plane.kubectl(*words, *where)
