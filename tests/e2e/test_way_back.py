"""The way back: what a node ran with before is let in again, and no node stops the others."""

from __future__ import annotations

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
_TLS = """
cat >/etc/containerd/config.toml <<'END'
version = 2
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
  endpoint = ["https://mirror.corp.test"]
[plugins."io.containerd.grpc.v1.cri".registry.configs."mirror.corp.test".tls]
  insecure_skip_verify = true
END
systemctl restart containerd
"""
_ILL = "printf '\\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\\n' | cat - {0} >/run/ill"
_CONFIG = "/etc/containerd/config.toml"


def test_settings_that_a_daemon_passes_over_are_no_hindrance_on_the_way_back(
    nodes: Lab, fleet: Fleet
) -> None:
    forky, trixie = nodes.nodes["forky1"], nodes.nodes["trixie1"]
    forky.sh(_TLS)
    before = {node.name: node.digests("/etc") for node in (forky, trixie)}
    assert fleet("rollout", "-y", "-l", "forky1,trixie1", "--soak", "0").code == 0
    trixie.sh(f"{_ILL.format(_CONFIG)} && cp /run/ill {_CONFIG} && systemctl restart containerd")

    ran = fleet("rollback", "-y", "--soak", "0", "--batch", "1", "--json")

    told = ran.json["nodes"]
    assert statuses(ran.json) == {
        "bullseye1": "failed",  # it has nothing to go back to
        "bookworm1": "failed",
        "trixie1": "converged",  # it was ill, and is well again
        "forky1": "converged",
    }, ran.text
    assert ran.code == 1
    assert ran.json["status"] == "finished"
    assert {told[name]["failure"]["kind"] for name in ("bullseye1", "bookworm1")} == {
        "no_generation"
    }
    assert {node.name: node.digests("/etc") for node in (forky, trixie)} == before
