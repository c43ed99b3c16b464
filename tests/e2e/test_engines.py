"""Who does the work makes no difference to what becomes of nodes, not even when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from fleet.journal import Journal
from tests.conftest import NODES
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.cluster import dask_cluster, workers_of
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra dask")
LOCAL = ["threads", "processes", pytest.param("dask", marks=needs_dask)]
KILLABLE = LOCAL[1:]


def steps(fleet: Fleet) -> dict[str, list[str]]:
    """Return what the journal tells of each node in the newest rollout."""
    journal = Journal(fleet.folder / ".fleet" / "journal.db")
    found: dict[str, list[str]] = {}
    for entry in journal.entries(next(journal.rollouts()).id):
        if entry.node is not None:
            found.setdefault(entry.node, []).append(entry.payload["status"])
    return found


PASS = ["staging", "staged", "running", "converged"]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("distributed")
    folder = tmp_path / "dask"
    folder.mkdir()
    with dask_cluster(folder) as cluster:
        cluster.worker("--no-nanny", "--nthreads", "4", "--resources", "site-edge=1")
        cluster.worker("--no-nanny", "--nthreads", "4")
        cluster.wait()
        yield cluster.address


@pytest.mark.parametrize("engine", LOCAL)
def test_a_rollout_is_the_same_by_every_engine(nodes: Lab, fleet: Fleet, engine: str) -> None:
    ran = fleet("rollout", "-y", "--batch", "1,3", "--soak", "1", "--json", "--engine", engine)

    assert ran.code == 0, ran.text
    assert statuses(ran.json) == dict.fromkeys(NODES, "converged")
    assert ran.json["batches"] == [[NODES[0]], list(NODES[1:])]
    assert steps(fleet) == dict.fromkeys(NODES, PASS)


def test_workers_of_a_scheduler_take_the_nodes_of_their_site(
    nodes: Lab, fleet: Fleet, scheduler: str
) -> None:
    fleet.edit("inventory.yaml", "trixie1: {", "trixie1: {site: edge, ")
    fleet.edit("inventory.yaml", "forky1: {", "forky1: {site: moon, ")
    flags = ("-y", "--soak", "1", "--json", "--engine", scheduler)

    refused = fleet("rollout", *flags)
    ran = fleet("rollout", "-x", "forky1", *flags)
    back = fleet("rollback", "-x", "forky1", *flags)

    assert statuses(refused.json) == {**dict.fromkeys(NODES[:3], "pending"), "forky1": "failed"}
    failure = refused.json["nodes"]["forky1"]["failure"]
    assert failure["kind"] == "worker"
    assert "dask worker" in failure["remedy"]
    assert "site-moon=1" in failure["remedy"]
    assert statuses(ran.json) == dict.fromkeys(NODES[:3], "converged")
    assert statuses(back.json) == dict.fromkeys(NODES[:3], "converged")


def started(fleet: Fleet, engine: str, *flags: str) -> subprocess.Popen[str]:
    """Start a rollout of all nodes together; return when all are in mid-pass."""
    words = ("rollout", "-y", "--batch", "4", "--soak", "8", "--json", "--engine", engine)
    running = fleet.start(*words, *flags)
    assert running.stderr is not None
    left = len(NODES)
    while left:
        line = running.stderr.readline()
        left -= ": started" in line
        assert running.poll() is None, line
    return running


@pytest.mark.parametrize("engine", KILLABLE)
def test_nodes_whose_worker_is_killed_are_asked_and_brought_to_their_end(
    nodes: Lab, fleet: Fleet, engine: str
) -> None:
    running = started(fleet, engine)
    time.sleep(2)  # into the swap, the restart or the soak: any of them will do
    os.kill(workers_of(running.pid)[0], signal.SIGKILL)

    out, said = running.communicate(timeout=240)

    assert running.returncode == 0, said
    assert statuses(json.loads(out)) == dict.fromkeys(NODES, "converged")
    probe = fleet("probe", "--json").json["nodes"]
    assert {each["state"] for each in probe.values()} == {"in sync"}
    for node in nodes.nodes.values():
        assert node.sh("ls /var/lib/fleet/pending", check=False).stdout == ""
        assert len(node.sh("ls /var/lib/fleet/generations").stdout.split()) == 1


def test_ctrl_c_is_the_driver_s_alone(nodes: Lab, fleet: Fleet) -> None:
    """Once, although the terminal sends it to every process: the batch finishes."""
    words = ("rollout", "-y", "--batch", "1", "--soak", "1", "--json", "--engine", "processes")
    running = fleet.start(*words)
    assert running.stderr is not None
    while "started" not in running.stderr.readline():
        assert running.poll() is None
    for each in (*workers_of(running.pid), running.pid):
        os.kill(each, signal.SIGINT)

    out, _ = running.communicate(timeout=60)

    assert running.returncode == 130
    rest = dict.fromkeys(NODES[1:], "pending")
    assert statuses(json.loads(out)) == {"bullseye1": "converged", **rest}


def test_ctrl_c_twice_ends_the_workers_too_and_resume_goes_on(nodes: Lab, fleet: Fleet) -> None:
    running = started(fleet, "processes", "--guard", "60")
    workers = workers_of(running.pid)
    for _ in range(2):
        running.send_signal(signal.SIGINT)
        time.sleep(0.3)
    running.communicate(timeout=10)
    until = time.monotonic() + 10
    while any(Path(f"/proc/{each}").exists() for each in workers):
        assert time.monotonic() < until
        time.sleep(0.1)

    ran = fleet("resume", "-y", "--json", "--engine", "processes")

    assert running.returncode == 130
    assert ran.code == 0, ran.text
    assert statuses(ran.json) == dict.fromkeys(NODES, "converged")
