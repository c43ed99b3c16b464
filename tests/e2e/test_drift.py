"""Drift: what changed behind fleet's back, by whose hand, and that none of it is lost."""

from __future__ import annotations

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
CERTS = "/etc/containerd/certs.d"
SPEGEL = """server = 'https://quay.io'

[host.'http://10.0.0.7:30020']
capabilities = ['pull', 'resolve']
dial_timeout = '200ms'
"""
DFINIT = """server = "https://gcr.io"

[host."http://127.0.0.1:4001"]
capabilities = ["pull", "resolve"]

[host."http://127.0.0.1:4001".header]
X-Dragonfly-Registry = "https://gcr.io"
"""
KUBESPRAY = """server = "https://registry.example.test"
[host."https://mirror.example.test"]
  capabilities = ["pull","resolve"]
  skip_verify = false
  override_path = false
"""
NVIDIA = """
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
    BinaryName = "/usr/bin/nvidia-container-runtime"
"""


def test_drift_names_files_and_hands(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    unmanaged = fleet("drift", "--exit-code", "--json")
    ran = fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--no-verify")
    clean = fleet("drift", "-l", "trixie1", "--exit-code", "--json")
    trixie.sh(f"printf '%s' '{NVIDIA}' >>/etc/containerd/config.toml")
    trixie.sh(f"echo '# tried this' >>{CERTS}/docker.io/hosts.toml; rm -r {CERTS}/ghcr.io")
    for name, text in (
        ("quay.io", SPEGEL),
        ("gcr.io", DFINIT),
        ("registry.example.test", KUBESPRAY),
    ):
        quoted = text.replace("'", "'\\''")
        trixie.sh(f"mkdir -p {CERTS}/{name}; printf %s '{quoted}' >{CERTS}/{name}/hosts.toml")

    drift = fleet("drift", "-l", "trixie1", "--exit-code", "--json")
    shown = fleet("drift", "-l", "trixie1")
    fleet.edit("mirrors.yaml", "https://quay.m.daocloud.io", "https://other.example")
    probed = fleet("probe", "-l", "trixie1", "--json").json["nodes"]["trixie1"]
    trixie.sh("systemctl stop containerd")
    down = fleet("probe", "-l", "trixie1", "--json").json["nodes"]["trixie1"]
    trixie.sh("systemctl start containerd")

    assert (unmanaged.code, ran.code, clean.code) == (0, 0, 0), ran.text
    states = {name: each["state"] for name, each in unmanaged.json["nodes"].items()}
    assert set(states.values()) == {"unmanaged"}
    assert clean.json["nodes"]["trixie1"]["state"] == "in sync"
    found = {
        each["path"].removeprefix("/etc/containerd/"): (each["drift"], each["author"])
        for each in drift.json["nodes"]["trixie1"]["files"]
    }
    assert found == {
        "config.toml": ("changed", "nvidia-ctk"),
        "certs.d/docker.io/hosts.toml": ("changed", "a person, editing fleet's file"),
        "certs.d/quay.io/hosts.toml": ("changed", "Spegel"),
        "certs.d/gcr.io/hosts.toml": ("changed", "dfinit"),
        "certs.d/ghcr.io/hosts.toml": ("missing", "a person"),
        "certs.d/registry.example.test/hosts.toml": ("extra", "kubespray"),
    }
    assert (drift.code, shown.code) == (4, 0)
    assert "Spegel" in shown.stdout
    assert "1 drifted" in shown.stdout
    assert (probed["state"], probed["outdated"]) == ("drifted", True)
    assert down["state"] == "unhealthy"


def test_what_spegel_has_moved_away_is_its_doing(nodes: Lab, fleet: Fleet) -> None:
    forky = nodes.nodes["forky1"]
    ran = fleet("rollout", "-y", "-l", "forky1", "--soak", "0", "--no-verify")
    forky.sh(f"cd {CERTS} && mkdir _backup && mv [!_]* _backup/")

    files = fleet("drift", "-l", "forky1", "--json").json["nodes"]["forky1"]["files"]

    assert ran.code == 0
    assert len(files) == 11
    assert {(each["drift"], each["author"]) for each in files} == {("missing", "Spegel")}


def test_a_rollback_over_drift_keeps_the_drifted_bytes(nodes: Lab, fleet: Fleet) -> None:
    bookworm = nodes.nodes["bookworm1"]
    path = f"{CERTS}/docker.io/hosts.toml"
    pristine = bookworm.digests("/etc/containerd")
    fleet("rollout", "-y", "-l", "bookworm1", "--soak", "0", "--no-verify")
    bookworm.sh(f"echo '# somebody needs this' >>{path}")
    drifted = bookworm.digests("/etc/containerd")

    planned = fleet("rollback", "-l", "bookworm1", "--dry-run")
    back = fleet("rollback", "-y", "-l", "bookworm1", "--soak", "0", "--json")
    gone = bookworm.digests("/etc/containerd")
    again = fleet(
        "rollback", "-y", "-l", "bookworm1", "--soak", "0", "--to", back.json["rollout"], "--json"
    )

    assert f"{path} was edited since fleet wrote it (backup kept: " in planned.stdout
    assert (back.code, again.code) == (0, 0), back.text + again.text
    assert gone == pristine
    assert bookworm.digests("/etc/containerd") == drifted
    assert fleet("drift", "-l", "bookworm1", "--exit-code").code == 4
