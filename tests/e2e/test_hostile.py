"""Nodes with files that nobody would write: each is its own failure, and the others go on."""

from __future__ import annotations

import time

import pytest

from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
CRI = 'plugins."io.containerd.grpc.v1.cri"'
CERTS = "/etc/containerd/certs.d"
DEEP = b"# " + b"header." * 43_000 + b"\n"
CONFIG = f'version = 2\n[{CRI}.registry]\n  config_path = "{CERTS}"\n'.encode()


def lay(node: LabNode, path: str, content: bytes) -> None:
    """Write a file on a node; the daemon goes on with what it read at its start."""
    target = node.root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def plant(lab: Lab) -> None:
    """Make three of the four nodes odd, each in ways of its own."""
    config = "/etc/containerd/config.toml"
    deep = b"version = 2\n" + b"a." * 20_000 + b"b = 1\n"
    lay(lab.nodes["bullseye1"], config, deep)
    lay(lab.nodes["bookworm1"], config, CONFIG)
    for name, text in {
        "a.example": b'[server]\n  url = "https://registry.corp.test"\n' + DEEP,
        "b.example": b'host = [1, {a = 1979-05-27}]\nserver = "https:/x"\n',
        "c.example": b"[host.x]\ncapabilities = {pull = 1}\nca = [[[1]]]\nclient = 0xff\n",
        "d.example": b"x = " + b"[" * 60_000,
        "docker.io": b'server = "https://d"\n[[host]]\nheader = ["password = secret-word"]\n',
    }.items():
        lay(lab.nodes["bookworm1"], f"{CERTS}/{name}/hosts.toml", text)
    lay(lab.nodes["bookworm1"], "/var/lib/fleet/state.json", b'{"files": [5], "generation": {}}')
    lay(lab.nodes["trixie1"], config, CONFIG.replace(CERTS.encode(), b"/etc/m\xe9"))
    lay(lab.nodes["trixie1"], "/var/lib/fleet/state.json", b"[" * 100_000)


@pytest.mark.usefixtures("crictl")
def test_three_odd_nodes_do_not_stop_a_command_for_the_fourth(nodes: Lab, fleet: Fleet) -> None:
    plant(nodes)
    began = time.monotonic()

    probe = fleet("probe", "--json", "--engine", "processes")
    diff = fleet("diff", "--json")
    drift = fleet("drift", "--json")
    back = fleet("rollback", "--dry-run", "--json")
    explained = [fleet("explain", name, "a.example", "--json") for name in nodes.nodes]
    took = time.monotonic() - began
    flags = ("--batch", "4", "--max-failures", "3", "--engine", "processes")
    rollout = fleet("rollout", "-y", *flags, "--json")
    verify = fleet("verify", "-l", "trixie1:forky1:bookworm1", "--json")

    every = (probe, diff, drift, back, *explained, rollout, verify)
    assert [ran.text for ran in every if "bug" in ran.text or "secret-word" in ran.text] == []
    assert took < 60
    assert diff.json["nodes"]["forky1"]["failure"] is None
    assert diff.json["nodes"]["forky1"]["changes"]
    assert "a key of more than 40 parts" in diff.json["nodes"]["bullseye1"]["failure"]["message"]
    assert "no certs.d" not in diff.text
    assert probe.json["nodes"]["forky1"]["state"] == "unmanaged"
    assert drift.json["nodes"]["forky1"]["state"] == "unmanaged"
    assert {each["failure"] for each in back.json["nodes"].values()} == {None}
    assert [ran.code for ran in explained[1:]] == [0, 0, 0]
    assert "is ignored as a whole" in explained[1].stdout
    assert rollout.json["nodes"]["forky1"]["status"] == "converged"
    assert rollout.json["nodes"]["bullseye1"]["failure"]["kind"] == "unsupported"
    assert {pull["ok"] for pull in verify.json["nodes"]["forky1"]["verified"]} == {True}
