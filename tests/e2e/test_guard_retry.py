"""The guard does not give up: killed, out of memory or hindered, it is tried until it succeeds."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack

import pytest

from tests.e2e.test_guard import killed, settled
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet
from tests.support.hands import KILL_GUARD, acted, acting

pytestmark = pytest.mark.e2e

CONFIG = "/etc/containerd/config.toml"
NAMES = ("bullseye1", "bookworm1", "trixie1", "forky1")
UNITS = "systemctl list-units --plain --no-legend --state=active,activating,failed 'fleet-guard*'"
ENDS = {
    "bullseye1": KILL_GUARD,
    "bookworm1": f"{KILL_GUARD.replace('-9', '-15')}; {KILL_GUARD}",
    # As the kernel does it for memory: all of the unit at once.
    "trixie1": "systemctl kill -s KILL 'fleet-guard-*.service'",
    "forky1": "systemctl stop --no-block 'fleet-guard-*.service'; sleep 5",
}


def waited(node: LabNode, seconds: float = 45) -> None:
    """Wait until no change is pending on a node."""
    until = time.monotonic() + seconds
    while node.sh("test -e /var/lib/fleet/pending", check=False).returncode == 0:
        assert time.monotonic() < until, node.sh(f"ls -l /var/lib/fleet/pending; {UNITS}").stdout
        time.sleep(0.5)


def chattr(node: LabNode, flag: str) -> None:
    """Make the node's config immutable, or mutable again; not all suites have a chattr."""
    subprocess.run(["chattr", flag, node.root / CONFIG[1:]], check=True)


def gone(node: LabNode) -> None:
    """See that no unit of a guard is left."""
    until = time.monotonic() + 5
    while units := node.sh(UNITS).stdout:
        assert time.monotonic() < until, units
        time.sleep(0.2)


def conflicts(fleet: Fleet, name: str) -> dict[str, str]:
    """Return the messages of what a probe has found on a node, by code."""
    probed = fleet("probe", "-l", name, "--json").json["nodes"][name]
    return {each["code"]: each["message"] for each in probed["conflicts"]}


def test_a_guard_that_is_ended_in_its_restore_is_tried_again(nodes: Lab, fleet: Fleet) -> None:
    """However it is ended: by signals, as for memory, or stopped by hand."""
    before = {name: nodes.nodes[name].digests("/etc") for name in NAMES}
    with ExitStack() as stack:
        for name in NAMES:
            stack.enter_context(acting(nodes.nodes[name], "mv", "*.back*", ENDS[name]))
        running = fleet.start(
            *("rollout", "-y", "--batch", "4", "--soak", "4", "--guard", "9", "--no-verify")
        )
        for node in nodes.nodes.values():
            while node.sh("grep swapped /var/lib/fleet/pending/phase", check=False).returncode:
                assert running.poll() is None
        running.kill()
        running.communicate()
        shown = conflicts(fleet, "trixie1")
        for name in NAMES:
            waited(nodes.nodes[name])
        assert all(acted(nodes.nodes[name]) for name in NAMES)

    assert "stands unconfirmed since" in shown["guard-pending"]
    for name in NAMES:
        assert nodes.nodes[name].digests("/etc") == before[name]
        assert settled(nodes.nodes[name]) == ("restored", "timer")
        gone(nodes.nodes[name])
    assert conflicts(fleet, "trixie1") == {}


@pytest.mark.parametrize("name", ["bookworm1", "forky1"])
def test_a_guard_that_fails_at_boot_fails_its_unit_and_is_tried_again(
    nodes: Lab, fleet: Fleet, name: str
) -> None:
    node = nodes.nodes[name]
    before = node.digests("/etc")
    killed(fleet, node)
    rollout = node.sh("cat /var/lib/fleet/pending/id").stdout.strip()
    chattr(node, "+i")
    try:
        node.reboot()
        until = time.monotonic() + 30
        while (
            unit := node.sh("systemctl is-failed fleet-guard", check=False).stdout
        ) != "failed\n":
            assert time.monotonic() < until, unit
            time.sleep(0.5)
        found = conflicts(fleet, name)
        time.sleep(22)
        audited = node.sh("grep -c guard /var/lib/fleet/audit.log").stdout
    finally:
        chattr(node, "-i")
    waited(node)

    assert f"cannot take change {rollout} back since" in found["guard-failing"]
    assert CONFIG in found["guard-failing"]
    assert audited == "1\n"
    assert node.digests("/etc") == before
    assert settled(node) == ("restored", "boot")
    gone(node)


def test_a_restart_that_says_no_is_judged_by_the_daemon(nodes: Lab, fleet: Fleet) -> None:
    names = ("bullseye1", "trixie1")
    says_no = '/bin/systemctl "$@"; exit 1'
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(acting(nodes.nodes[name], "systemctl", "restart*", says_no))
        ran = fleet("rollout", "-y", "-l", ":".join(names), "--batch", "2", "--soak", "0", "--json")
        assert all(acted(nodes.nodes[name]) for name in names)

    assert ran.code == 0, ran.text
    assert {each["status"] for each in ran.json["nodes"].values()} == {"converged"}


@pytest.mark.parametrize("command", ["rollout", "rollback"])
def test_a_guard_shorter_than_its_soak_is_refused(fleet: Fleet, command: str) -> None:
    ran = fleet(command, "-y", "--soak", "60", "--guard", "64")

    assert ran.code == 2
    assert "--guard 64 is too short for --soak 60" in ran.stderr
    assert "give --guard 65 or more" in ran.stderr
