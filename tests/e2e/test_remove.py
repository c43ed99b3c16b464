"""Undo and removal on four releases: nodes are as they were, and fleet is gone from them."""

from __future__ import annotations

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
QUICK = ("-y", "--batch", "4", "--soak", "0", "--json")
_OTHERS = ("/var/lib/containerd", "/var/lib/systemd", "/var/lib/private")
_GONE = "! ls -d /var/lib/fleet* /run/fleet* && ! systemctl list-units --all | grep fleet-"


_FOLDERS = (
    r"find /etc /var/lib -path /var/lib/containerd -prune -o -type d -printf '%p\t%m %U %G\n'"
)


def without_containerd(lab: Lab) -> dict[str, dict[str, str]]:
    """Return all below /etc and /var/lib, but for what containerd and systemd write there."""
    return {name: _described(node) for name, node in lab.nodes.items()}


def _described(node: LabNode) -> dict[str, str]:
    folders = (line.split("\t") for line in node.sh(_FOLDERS).stdout.splitlines())
    found = node.digests("/etc", "/var/lib") | dict(folders)
    return {path: about for path, about in found.items() if not path.startswith(_OTHERS)}


def test_fleet_is_removed_with_everything_that_it_left(nodes: Lab, fleet: Fleet) -> None:
    before = without_containerd(nodes)
    assert fleet("rollout", *QUICK, "--no-verify").code == 0
    first = without_containerd(nodes)["trixie1"]
    fleet.edit("mirrors.yaml", "      - https://reg-mirror.qiniu.com\n", "")
    second = fleet("rollout", *QUICK, "--no-verify", "-l", "trixie1,forky1").json["rollout"]

    undone = fleet("undo", *QUICK)
    early = fleet("undo", *QUICK, second)
    etc = {path: text for path, text in first.items() if path.startswith("/etc")}
    assert undone.code == 0, undone.text
    assert statuses(undone.json) == {"trixie1": "converged", "forky1": "converged"}
    assert etc.items() <= without_containerd(nodes)["trixie1"].items()
    assert (early.code, set(statuses(early.json).values())) == (0, {"unchanged"}), early.text
    again = fleet("undo", *QUICK, undone.json["rollout"])
    assert statuses(again.json) == {"trixie1": "converged", "forky1": "converged"}, again.text

    fleet.edit("mirrors.yaml", "https://quay.m.daocloud.io", "https://quay.example")
    assert fleet("rollout", *QUICK, "--no-verify").code == 0
    one = fleet("undo", *QUICK, "--registry", "quay.io")
    left = fleet("diff", "--json").json["nodes"].values()
    assert set(statuses(one.json).values()) == {"converged"}, one.text
    assert [len(node["changes"]) for node in left] == [1] * 4
    assert all(
        '+  endpoint = ["https://quay.example"]' in node["changes"][0]["diff"]
        or '+[host."https://quay.example"]' in node["changes"][0]["diff"]
        for node in left
    )

    nodes.nodes["forky1"].sh("echo '# mine' >>/etc/containerd/certs.d/docker.io/hosts.toml")
    refused = fleet("remove", *QUICK, "-l", "forky1")
    removed = fleet("remove", *QUICK, "--overwrite")
    nothing = fleet("remove", *QUICK)

    failure = refused.json["nodes"]["forky1"]["failure"]
    assert (refused.code, failure["kind"]) == (3, "conflict"), refused.text
    assert "docker.io/hosts.toml was edited after fleet wrote" in failure["message"]
    assert removed.code == 0, removed.text
    assert set(statuses(removed.json).values()) == {"converged"}
    assert without_containerd(nodes) == before
    for node in nodes.nodes.values():
        node.sh(_GONE)
        assert node.sh("ctr plugins ls id==cri").stdout.split()[-1] == "ok"
    assert (nothing.code, nothing.json["rollout"]) == (0, "")
    assert set(statuses(nothing.json).values()) == {"unchanged"}
    assert [one["kind"] for one in fleet("history", "--json").json["rollouts"][:1]] == ["remove"]


def test_a_removal_that_was_killed_is_finished(nodes: Lab, fleet: Fleet) -> None:
    before = without_containerd(nodes)
    fleet("rollout", *QUICK, "--no-verify")
    running = fleet.start("remove", "-y", "--batch", "1", "--soak", "2")
    assert running.stderr is not None
    while "bookworm1: started" not in running.stderr.readline():
        assert running.poll() is None
    running.kill()
    running.communicate()
    nodes.nodes["trixie1"].sh("mv /var/lib/fleet /var/lib/fleet.removed")  # as if killed there

    resumed = fleet("resume", "-y", "--json")

    assert resumed.code == 0, resumed.text
    assert set(statuses(resumed.json).values()) == {"converged"}
    now = without_containerd(nodes)
    assert {name: now[name] for name in now if name != "trixie1"} == {
        name: before[name] for name in before if name != "trixie1"
    }
    for node in nodes.nodes.values():
        node.sh(_GONE)


def test_the_config_may_stay(nodes: Lab, fleet: Fleet) -> None:
    assert fleet("rollout", *QUICK, "--no-verify", "-l", "forky1").code == 0
    node = nodes.nodes["forky1"]
    etc = node.digests("/etc")

    removed = fleet("remove", *QUICK, "--keep-config")

    assert removed.code == 0, removed.text
    assert statuses(removed.json)["forky1"] == "converged"
    assert node.digests("/etc") == etc
    node.sh(_GONE)
