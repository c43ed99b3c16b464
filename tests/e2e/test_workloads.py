"""Containers that run: a restart of containerd leaves them alone, or is not made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.test_failures import failure_of, trap
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support import container
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
_CONTROL_GROUP = """
mkdir -p /etc/systemd/system/containerd.service.d
printf '[Service]\\nKillMode=control-group\\n' >/etc/systemd/system/containerd.service.d/kill.conf
systemctl daemon-reload
"""
_KILL_SHIMS = (
    "for each in /proc/[0-9]*; do"
    " case $(cat $each/comm) in containerd-shim*) kill -9 ${each#/proc/} ;; esac; done"
)


@pytest.fixture
def boxes(nodes: Lab) -> Iterator[dict[str, int]]:
    """Return the processes of a container on every node."""
    yield {name: container.start(node, "box") for name, node in nodes.nodes.items()}
    for node in nodes.nodes.values():
        container.stop(node, "box")


def test_containers_live_through_a_rollout_and_a_rollback(
    nodes: Lab, fleet: Fleet, boxes: dict[str, int]
) -> None:
    out = fleet("rollout", "-y", "--batch", "4", "--no-verify", "--soak", "0", "--json")
    after = {name: container.pid_of(node, "box") for name, node in nodes.nodes.items()}
    back = fleet("rollback", "-y", "--batch", "4", "--soak", "0", "--json")
    at_last = {name: container.pid_of(node, "box") for name, node in nodes.nodes.items()}

    assert (out.code, back.code) == (0, 0), out.text + back.text
    assert all(out.json["nodes"][name]["restarted"] for name in nodes.nodes)
    assert 0 not in boxes.values()
    assert after == at_last == boxes


def test_a_restart_that_would_end_containers_is_refused_unless_told_otherwise(
    nodes: Lab, fleet: Fleet, boxes: dict[str, int]
) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh(_CONTROL_GROUP)
    before = trixie.digests("/etc")

    shown = fleet("diff", "-l", "trixie1")
    refused = fleet("rollout", "-y", "-l", "trixie1", "--json")
    untouched = (trixie.digests("/etc"), container.pid_of(trixie, "box"))
    told = fleet("rollout", "-y", "-l", "trixie1", "--disrupt-workloads", "--soak", "0", "--json")

    kind, step, message = failure_of(refused.json)
    assert "would end 1 running container" in shown.stdout
    assert (kind, step) == ("workloads", "plan")
    assert "KillMode is control-group" in message
    assert "--disrupt-workloads" in message
    assert untouched == (before, boxes["trixie1"])
    assert (told.code, statuses(told.json)) == (0, {"trixie1": "converged"}), told.text
    assert container.pid_of(trixie, "box") == 0


def test_a_restart_that_has_ended_containers_is_taken_back(
    nodes: Lab, fleet: Fleet, boxes: dict[str, int]
) -> None:
    """Whatever the unit promises: what counts is which containers run afterwards."""
    trixie = nodes.nodes["trixie1"]
    trixie.sh(trap(_KILL_SHIMS))
    before = trixie.digests("/etc")
    assert container.pid_of(trixie, "box") == boxes["trixie1"]

    ran = fleet("rollout", "-y", "-l", "trixie1", "--json")

    failure = ran.json["nodes"]["trixie1"]["failure"]
    assert (failure["kind"], statuses(ran.json)) == ("workloads", {"trixie1": "rolled_back"})
    assert f"k8s.io/box (process {boxes['trixie1']})" in failure["evidence"]
    assert trixie.digests("/etc") == before
