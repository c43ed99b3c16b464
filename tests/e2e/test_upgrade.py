"""A node that grew older than its config: 1.4 with legacy mirrors, upgraded in place to 1.6."""

from __future__ import annotations

import shutil
import time

import pytest

from tests.lab import Lab
from tests.lab.packages import package
from tests.support.fleet import Fleet, remember

pytestmark = pytest.mark.e2e

NAME = "bookworm1"
ONE = """
version: 1
mirrors:
  docker.io:
    endpoints: [https://docker.m.daocloud.io]
    verify: docker.io/library/busybox:1.36
"""


def install(lab: Lab, suite: str) -> None:
    node = lab.nodes[NAME]
    shutil.copy(package(suite, "containerd"), node.root / "root/containerd.deb")
    node.sh(
        "dpkg --force-downgrade --force-confold -i /root/containerd.deb >/dev/null 2>&1;"
        " rm /root/containerd.deb; systemctl restart containerd;"
        " until ctr version >/dev/null 2>&1; do sleep 0.1; done; sleep 1"
    )


@pytest.mark.usefixtures("crictl")
def test_legacy_mirrors_outlive_an_upgrade_and_then_move_to_certs_d(
    nodes: Lab, fleet: Fleet
) -> None:
    node = nodes.nodes[NAME]
    fleet.write("mirrors.yaml", ONE)
    try:
        install(nodes, "bullseye")
        old = fleet("rollout", "-y", "-l", NAME, "--soak", "1", "--json")
        assert old.json["nodes"][NAME]["strategy"] == "legacy", old.text
        assert old.json["nodes"][NAME]["containerd"].startswith("1.4.")
        install(nodes, "bookworm")
        legacy = node.sh("cat /etc/containerd/config.toml").stdout
        assert "registry.mirrors" in legacy
        before = node.digests("/etc/containerd")

        probed = fleet("probe", "-l", NAME, "--json").json["nodes"][NAME]
        moved = fleet("rollout", "-y", "-l", NAME, "--soak", "1", "--json")

        assert probed["containerd"].startswith("1.6.")
        assert "legacy" in {each["code"] for each in probed["conflicts"]}
        outcome = moved.json["nodes"][NAME]
        assert (outcome["status"], outcome["strategy"]) == ("converged", "certs.d"), moved.text
        assert "mirrors" not in node.sh("cat /etc/containerd/config.toml").stdout
        assert pulls_through_the_mirror(nodes)

        assert fleet("rollback", "-y", "-l", NAME, "--soak", "1").code == 0
        assert node.digests("/etc/containerd") == before
        assert pulls_through_the_mirror(nodes)
    finally:
        nodes.reset([NAME])
        remember(node)


def pulls_through_the_mirror(lab: Lab) -> bool:
    node = lab.nodes[NAME]
    node.sh("images=$(ctr -n k8s.io images ls -q); ctr -n k8s.io images rm --sync $images")
    began = time.time()
    node.sh("crictl pull docker.io/library/busybox:1.36")
    served = [each for each in lab.registry.access(began) if node.address in each.remote]
    return any("/v2/library/busybox/" in each.path for each in served)
