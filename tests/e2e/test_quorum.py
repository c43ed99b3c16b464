"""Control plane nodes on a real lab: never two in flight, whatever the batches and the crashes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleet.journal import Journal
from tests.e2e.test_resume import killed_after
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
QUICK = ("--soak", "0", "--no-verify", "--json")
MARKS = {
    "bookworm1": (
        "mkdir -p /etc/kubernetes/manifests; : >/etc/kubernetes/manifests/etcd.yaml",
        "rm -r /etc/kubernetes",
    ),
    "trixie1": (
        "printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/etcd.service",
        "rm /etc/systemd/system/etcd.service",
    ),
    "forky1": (
        "cp /bin/sleep /run/kube-apiserver; systemd-run -q --unit lab-api /run/kube-apiserver 900",
        "systemctl stop lab-api; rm /run/kube-apiserver",
    ),
}
PLANE = set(MARKS)


@pytest.fixture
def plane(nodes: Lab) -> Iterator[Lab]:
    """Return the lab with three nodes that look like a control plane."""
    for name, (mark, _) in MARKS.items():
        nodes.nodes[name].sh(mark)
    yield nodes
    for name, (_, unmark) in MARKS.items():
        nodes.nodes[name].sh(unmark)


def most_in_flight(fleet: Fleet) -> int:
    """Return how many control plane nodes were in flight at once, over all runs of the journal."""
    journal = Journal(fleet.folder / ".fleet/journal.db")
    most = 0
    for record in journal.rollouts():
        flying: set[str] = set()
        for entry in journal.entries(record.id):
            if entry.kind != "moved" or entry.node not in PLANE:
                continue
            flies = entry.payload["status"] in {"running", "checking", "reverting"}
            flying = flying | {entry.node} if flies else flying - {entry.node}
            most = max(most, len(flying))
    return most


def test_two_control_plane_nodes_are_never_in_flight_together(plane: Lab, fleet: Fleet) -> None:
    diff = fleet("diff", "--json").json["nodes"]
    killed_after(fleet, "bookworm1: started", "--batch", "4", "--no-verify")
    resumed = fleet("resume", "-y", "--json")
    back = fleet("rollback", "-y", "--batch", "100%", "--soak", "0", "--json")

    evidence = {name: each["role_evidence"] for name, each in diff.items() if each["role"]}
    assert evidence == {
        "bookworm1": ["/etc/kubernetes/manifests/etcd.yaml"],
        "trixie1": ["/etc/systemd/system/etcd.service"],
        "forky1": ["process kube-apiserver"],
    }
    assert resumed.code == 0, resumed.text
    assert set(statuses(resumed.json).values()) == {"converged"}
    assert resumed.json["batches"] == [["bullseye1", "bookworm1"], ["trixie1"], ["forky1"]]
    assert back.code == 0, back.text
    assert back.json["batches"] == resumed.json["batches"]
    assert most_in_flight(fleet) == 1


def test_while_one_is_down_no_other_is_taken_down(plane: Lab, fleet: Fleet) -> None:
    trixie = plane.nodes["trixie1"]
    trixie.sh("systemctl stop containerd")
    flags = ("--batch", "4", "--max-failures", "2", *QUICK)

    ran = fleet("rollout", "-y", *flags)
    told = fleet("history", ran.json["rollout"], "--json").json["reason"]
    trixie.sh("systemctl start containerd; until ctr version >/dev/null 2>&1; do sleep 0.05; done")
    again = fleet("resume", "-y", ran.json["rollout"], "--json")

    assert (ran.code, ran.json["status"]) == (3, "halted"), ran.text
    rest = dict.fromkeys(("bookworm1", "forky1"), "pending")
    assert statuses(ran.json) == {"bullseye1": "converged", "trixie1": "failed", **rest}
    assert told.startswith("of the control plane trixie1 (containerd is inactive/dead) is not")
    assert again.code == 1, again.text
    assert statuses(again.json) == {
        **dict.fromkeys(statuses(ran.json), "converged"),
        "trixie1": "failed",
    }
    assert most_in_flight(fleet) == 1
