"""Liveness in the later gates: at the confirmation, after a pause, and on the way back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

import pytest

from tests.e2e.test_conflicts import CERTS, CONFIG, ONE, plant
from tests.e2e.test_failures import failure_of
from tests.e2e.test_liveness import NAMES, WANTED
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
ALL = ("-y", "-l", ":".join(NAMES), "--batch", "3", "--max-failures", "3")
QUICK = ("--no-verify", "--json")
# A daemon with mounts of its own can lose its folder while its process and the files stay.
PRIVATE = "/etc/systemd/system/containerd.service.d/private.conf"
APART = {PRIVATE: "[Service]\nPrivateMounts=yes\n"}
DEAFEN = f"nsenter -t $(pidof -s containerd) -m mount -t tmpfs tmpfs {CERTS}"
MORE = """  quay.io:
    endpoints: [https://quay.m.daocloud.io]
"""
LOGIN = """configs:
  docker.m.daocloud.io:
    auth: {username: robot, password: "env:LAB_SECRET"}
"""
_WRAP = """
mv /usr/bin/containerd /usr/bin/containerd.real
cat >/usr/bin/containerd <<'END'
#!/bin/sh
[ $# = 0 ] && [ -e /run/deaf.toml ] && set -- -c /run/deaf.toml
exec /usr/bin/containerd.real "$@"
END
chmod 755 /usr/bin/containerd
"""
_UNWRAP = "mv /usr/bin/containerd.real /usr/bin/containerd; rm -f /run/deaf.toml"


def prepare(nodes: Lab, fleet: Fleet, files: dict[str, str]) -> None:
    fleet.write("mirrors.yaml", ONE)
    for name in NAMES:
        nodes.nodes[name].sh(f"mkdir -p {PRIVATE.rpartition('/')[0]}")
        for path, text in files.items():
            nodes.nodes[name].sh(f"printf %s '{text}' >{path}")
        nodes.nodes[name].sh("systemctl daemon-reload")
        plant(nodes, name, {})


def once_swapped(node: LabNode, running: Popen[str], script: str) -> None:
    """Run a script on a node as soon as its change is in force and waits to be confirmed."""
    until = time.monotonic() + 60
    while "swapped" not in node.sh("cat /var/lib/fleet/pending/phase 2>/dev/null; true").stdout:
        assert time.monotonic() < until
        assert running.poll() is None
    node.sh(script)


@pytest.mark.parametrize("crictl", [True, False], ids=["by crictl", "by CRI over SSH"])
def test_a_daemon_that_goes_deaf_in_the_soak_is_not_confirmed(
    nodes: Lab, fleet: Fleet, crictl: bool
) -> None:
    prepare(nodes, fleet, APART)
    if not crictl:
        nodes.each(lambda node: node.sh("mv /usr/local/bin/crictl /run/lab-crictl"))
    before = {name: nodes.nodes[name].digests("/etc/containerd") for name in NAMES}

    running = fleet.start("rollout", *ALL, *QUICK, "--soak", "6")
    for name in NAMES:
        once_swapped(nodes.nodes[name], running, DEAFEN)
    running.communicate(timeout=120)

    told = fleet("history", "--json").json["rollouts"][0]
    for name in NAMES:
        outcome = told["nodes"][name]
        assert outcome["status"] == "rolled_back", outcome
        assert failure_of(told, name)[:2] == ("health", "liveness")
        assert f"does not read {CERTS}" in outcome["failure"]["message"]
    assert {name: nodes.nodes[name].digests("/etc/containerd") for name in NAMES} == before


def test_a_daemon_that_went_deaf_in_the_pause_takes_its_change_back(
    nodes: Lab, fleet: Fleet
) -> None:
    """It is healthy, and it may be restarted: it just reads another folder now."""
    prepare(nodes, fleet, {})
    trixie = nodes.nodes["trixie1"]
    before = trixie.digests("/etc/containerd")
    both = ("-l", "trixie1:forky1", "--batch", "1", "--pause", "6", "--soak", "0")

    running = fleet.start("rollout", "-y", *both, *QUICK)
    assert running.stderr is not None
    while "converged" not in running.stderr.readline():
        assert running.poll() is None
    trixie.sh(f"sed -i 's#{CERTS}#/etc/elsewhere#' {CONFIG}; systemctl restart containerd")
    running.communicate(timeout=120)

    told = fleet("history", "--json").json["rollouts"][0]
    assert running.returncode == 3
    assert failure_of(told, "trixie1")[:2] == ("health", "liveness")
    assert statuses(told) == {"trixie1": "rolled_back", "forky1": "pending"}
    assert trixie.digests("/etc/containerd") == before


def test_a_rollback_asks_for_the_folder_that_was_live_then(nodes: Lab, fleet: Fleet) -> None:
    prepare(nodes, fleet, APART)
    first = fleet("rollout", *ALL, *QUICK, "--soak", "0")
    fleet.write("mirrors.yaml", ONE + MORE)
    second = fleet("rollout", *ALL, *QUICK)
    well = fleet("rollback", *ALL, "--json")
    again = fleet("rollout", *ALL, *QUICK)
    newest = {name: nodes.nodes[name].digests(CERTS) for name in NAMES}
    for name in NAMES:
        nodes.nodes[name].sh(DEAFEN)

    deaf = fleet("rollback", *ALL, "--json")
    kept = {name: nodes.nodes[name].digests(CERTS) for name in NAMES}
    blind = fleet("rollback", *ALL, "--json", "--no-liveness")

    assert [each.code for each in (first, second, well, again)] == [0, 0, 0, 0], well.text
    assert kept == newest
    for name in NAMES:
        assert well.json["nodes"][name]["liveness"]["state"] == "live"
        assert statuses(deaf.json)[name] == "rolled_back", deaf.text
        assert failure_of(deaf.json, name)[:2] == ("health", "liveness")
        assert statuses(blind.json)[name] == "converged", blind.text
        assert blind.json["nodes"][name]["liveness"] is None


@contextmanager
def deaf_from_the_next_start(nodes: Lab) -> Iterator[None]:
    for name in NAMES:
        nodes.nodes[name].sh(_WRAP)
        nodes.nodes[name].sh("echo 'version = 2' >/run/deaf.toml")
    try:
        yield
    finally:
        for name in NAMES:
            nodes.nodes[name].sh(_UNWRAP)


@pytest.mark.parametrize(
    ("files", "ended"),
    [({CONFIG: WANTED}, "degraded"), ({}, "rolled_back")],
    ids=["live before", "without a folder before"],
)
def test_a_way_back_must_bring_a_folder_back_that_was_live(
    nodes: Lab, fleet: Fleet, files: dict[str, str], ended: str
) -> None:
    """A node whose daemon no longer reads its folder is degraded, whatever its files say."""
    prepare(nodes, fleet, files)
    for name in NAMES:
        nodes.nodes[name].sh(f"mkdir -p {CERTS}")
    before = {name: nodes.nodes[name].digests("/etc/containerd") for name in NAMES}
    fleet.write("mirrors.yaml", ONE + LOGIN)

    with deaf_from_the_next_start(nodes):
        ran = fleet("rollout", *ALL, *QUICK, env={"LAB_SECRET": "hunter2"})

    for name in NAMES:
        assert statuses(ran.json)[name] == ended, ran.text
        assert failure_of(ran.json, name)[:2] == ("health", "liveness")
        evidence = ran.json["nodes"][name]["failure"]["evidence"]
        assert (f"containerd no longer reads {CERTS}" in evidence) is (ended == "degraded")
    assert {name: nodes.nodes[name].digests("/etc/containerd") for name in NAMES} == before
