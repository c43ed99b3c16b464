"""Ctrl-C: once lets the batch finish, twice leaves the nodes to themselves."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e


def started(fleet: Fleet) -> subprocess.Popen[str]:
    """Start a rollout and return once its first node is in flight."""
    running = fleet.start("rollout", "-y", "--batch", "1", "--json")
    assert running.stderr is not None
    while "started" not in running.stderr.readline():
        assert running.poll() is None
    return running


def test_once_lets_the_batch_finish(nodes: Lab, fleet: Fleet) -> None:
    running = started(fleet)
    running.send_signal(signal.SIGINT)

    out, _ = running.communicate(timeout=60)

    assert running.returncode == 130
    document = json.loads(out)
    assert document["status"] == "interrupted"
    resume, undo = (f"fleet {command} {document['rollout']}" for command in ("resume", "undo"))
    assert document["next"] == [resume, undo]
    rest = dict.fromkeys(("bookworm1", "trixie1", "forky1"), "pending")
    assert statuses(document) == {**rest, "bullseye1": "converged"}


def test_twice_stops_at_once_and_the_node_ends_its_pass_by_itself(nodes: Lab, fleet: Fleet) -> None:
    running = started(fleet)
    for _ in range(2):
        running.send_signal(signal.SIGINT)
        time.sleep(0.3)
    running.communicate(timeout=10)
    time.sleep(3)

    listed = fleet("history", "--json").json["rollouts"]
    probe = fleet("probe", "-l", "bullseye1", "--json").json["nodes"]["bullseye1"]

    assert running.returncode == 130
    assert [each["status"] for each in listed] == ["interrupted"]
    assert probe["state"] in {"in sync", "unmanaged", "unconfirmed"}
    assert probe["cri"] == "ok"
    pending = nodes.nodes["bullseye1"].sh("ls /var/lib/fleet/pending", check=False).stdout
    assert pending == "" or probe["state"] == "unconfirmed"
