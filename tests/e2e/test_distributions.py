"""A stand-in for k3s: its unit, its socket and its folders around a plain containerd.

It shows that fleet finds the owner, asks the right socket and restarts the right unit. What k3s
itself makes of registries.yaml is not shown here: its file is tested against the format.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e

NAME = "trixie1"
BASE = "/var/lib/rancher/k3s/agent/etc/containerd"
UNIT = f"""
[Service]
Type=notify
ExecStart=/usr/bin/containerd --config {BASE}/config.toml --root /var/lib/containerd/k3s \
 --state /run/k3s/containerd --address /run/k3s/containerd/containerd.sock
KillMode=process
Delegate=yes
"""
THEIRS = "configs: {h.example: {auth: {username: 1e3, password: 0123}}}  # ours"
START = f"""
systemctl stop containerd
mkdir -p {BASE} /etc/rancher/k3s
printf 'version = 2\\n' >{BASE}/config.toml
printf 'token: hunter2\\n' >/etc/rancher/k3s/config.yaml
printf '%s\\n' '{THEIRS}' >/etc/rancher/k3s/registries.yaml
cat >/etc/systemd/system/k3s.service <<'END'
{UNIT}
END
systemctl daemon-reload
systemctl start k3s
"""
STOP = """
systemctl stop k3s
rm -rf /etc/systemd/system/k3s.service /etc/rancher /run/k3s
rm -rf /var/lib/rancher /var/lib/containerd/k3s
systemctl daemon-reload
systemctl start containerd
"""
ONE = "mirrors: {docker.io: {endpoints: [https://docker.m.daocloud.io]}}\n"


@pytest.fixture
def k3s(nodes: Lab) -> Iterator[Lab]:
    """Return the lab with a node whose containerd belongs to a unit called k3s."""
    nodes.nodes[NAME].sh(START)
    yield nodes
    nodes.nodes[NAME].sh(STOP)


def test_the_owner_is_found_and_its_own_unit_is_restarted(k3s: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    node = k3s.nodes[NAME]
    pid = node.sh("systemctl show k3s -p MainPID --value").stdout
    before = node.digests("/etc")

    probed = fleet("probe", "-l", NAME, "--json")
    ran = fleet("rollout", "-y", "-l", NAME, "--soak", "1", "--json")

    facts = probed.json["nodes"][NAME]
    assert (facts["owner"], facts["strategy"], facts["cri"]) == ("k3s", "registries.yaml", "ok")
    assert "hunter2" not in probed.text
    outcome = ran.json["nodes"][NAME]
    assert (outcome["status"], outcome["restarted"]) == ("converged", True), ran.text
    assert node.sh("systemctl show k3s -p MainPID --value").stdout != pid
    assert node.sh("systemctl is-active containerd; true").stdout.strip() == "inactive"
    written = node.sh("cat /etc/rancher/k3s/registries.yaml").stdout
    assert written.startswith(THEIRS)
    assert "docker.m.daocloud.io" in written
    again = fleet("rollout", "-y", "-l", NAME, "--json")
    assert again.json["nodes"][NAME]["status"] == "unchanged"
    assert fleet("rollback", "-y", "-l", NAME, "--soak", "1").code == 0
    assert node.digests("/etc") == before


def test_a_restart_that_fails_is_taken_back(k3s: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    node = k3s.nodes[NAME]
    before = node.digests("/etc/rancher")
    gate = "/etc/systemd/system/k3s.service.d"
    node.sh(
        f"mkdir -p {gate}; printf '[Service]\\nExecStartPre=/bin/sh -c"
        ' "! grep -q daocloud /etc/rancher/k3s/registries.yaml"\\n\''
        f" >{gate}/refuse.conf; systemctl daemon-reload"
    )

    ran = fleet("rollout", "-y", "-l", NAME, "--soak", "1", "--json")

    node.sh(f"rm -r {gate}; systemctl daemon-reload")
    outcome = ran.json["nodes"][NAME]
    assert (outcome["status"], outcome["failure"]["step"]) == ("rolled_back", "restart"), ran.text
    assert node.digests("/etc/rancher") == before
    assert node.sh("systemctl is-active k3s").stdout.strip() == "active"
