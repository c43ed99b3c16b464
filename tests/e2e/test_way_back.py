"""The way back: what a node ran with before is let in again, and no node stops the others."""

from __future__ import annotations

import pytest

from tests.e2e.test_conflicts import CONFIG, MIRRORS, ONE, PATH, cri_status, plant
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

    assert statuses(ran.json) == {
        "bullseye1": "unchanged",  # it has nothing to go back to
        "bookworm1": "unchanged",
        "trixie1": "converged",  # it was ill, and is well again
        "forky1": "converged",
    }, ran.text
    assert (ran.code, ran.json["status"]) == (0, "finished")
    assert {node.name: node.digests("/etc") for node in (forky, trixie)} == before


_DEAD_CRI = f"version = 2\n{PATH}{MIRRORS}"
_NOWHERE = """
version: 1
mirrors:
  docker.io:
    endpoints: [https://nothing.lab.test]
    fallback: never
    verify: docker.io/library/busybox:1.36
"""


def test_a_state_that_was_ill_is_restored_and_stops_no_other_node(nodes: Lab, fleet: Fleet) -> None:
    """trixie's CRI is dead until the rollout; bookworm's containerd is down before the rollback."""
    names = ("bookworm1", "trixie1", "forky1")
    bookworm, trixie = nodes.nodes["bookworm1"], nodes.nodes["trixie1"]
    plant(nodes, "trixie1", {CONFIG: _DEAD_CRI})
    dead = trixie.digests("/etc")
    words = ("-y", "-l", ":".join(names), "--soak", "0", "--health-timeout", "8", "--json")
    fleet.write("mirrors.yaml", _NOWHERE)
    refused = fleet("rollout", *words, "-x", "bookworm1:forky1")
    reverted = trixie.digests("/etc")
    fleet.write("mirrors.yaml", ONE)
    healed = fleet("rollout", *words, "--no-verify")
    bookworm.sh(f"echo '[[[' >>{CONFIG}; systemctl restart containerd; true")
    broken = bookworm.digests("/etc")

    back = fleet("rollback", *words, "--batch", "1")
    ends = statuses(back.json)
    once_more = fleet("rollback", *words, "--to", back.json["rollout"], "--batch", "3")
    again = bookworm.digests("/etc")

    ill = refused.json["nodes"]["trixie1"]
    assert (ill["status"], ill["failure"]["kind"]) == ("rolled_back", "verify"), refused.text
    assert "the node was already unhealthy when this state was saved" in ill["failure"]["evidence"]
    assert reverted == dead
    assert healed.code == 0, healed.text
    assert ends == dict.fromkeys(names, "converged"), back.text
    assert (back.code, back.json["status"]) == (0, "finished")
    assert back.json["nodes"]["trixie1"]["failure"]["step"] == "restored"
    assert back.json["nodes"]["bookworm1"]["failure"] is None
    assert statuses(once_more.json) == dict.fromkeys(names, "converged"), once_more.text
    assert once_more.json["nodes"]["trixie1"]["failure"] is None
    assert once_more.json["nodes"]["bookworm1"]["failure"]["step"] == "restored"
    assert again == broken
    assert cri_status(nodes, "trixie1") == "ok"
