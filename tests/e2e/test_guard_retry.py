"""The guard does not give up: killed, out of memory or hindered, it is tried until it succeeds."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack

import pytest

from tests.e2e.test_guard import UNITS, killed_on, settled, waited
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet
from tests.support.hands import KILL_GUARD, acted, acting

pytestmark = pytest.mark.e2e

CONFIG = "/etc/containerd/config.toml"
NAMES = ("bullseye1", "bookworm1", "trixie1", "forky1")
ENDS = {
    "bullseye1": KILL_GUARD,
    "bookworm1": f"{KILL_GUARD.replace('-9', '-15')}; {KILL_GUARD}",
    # As the kernel does it for memory: all of the unit at once.
    "trixie1": "systemctl kill -s KILL 'fleet-guard-*.service'",
    "forky1": "systemctl stop --no-block 'fleet-guard-*.service'; sleep 5",
}


def chattr(node: LabNode, flag: str) -> None:
    """Make the node's config immutable, or mutable again; not all suites have a chattr."""
    subprocess.run(["chattr", flag, node.root / CONFIG[1:]], check=True)


def gone(node: LabNode) -> None:
    """See that no unit of a guard is left."""
    until = time.monotonic() + 5
    while units := node.sh(UNITS).stdout:
        assert time.monotonic() < until, units
        time.sleep(0.2)


def has_failed(node: LabNode) -> None:
    """Wait until the unit of a guard at boot has failed."""
    until = time.monotonic() + 30
    while (unit := node.sh("systemctl is-failed fleet-guard", check=False).stdout) != "failed\n":
        assert time.monotonic() < until, unit
        time.sleep(0.5)


def conflicts(fleet: Fleet, *names: str) -> dict[str, dict[str, str]]:
    """Return the messages of what a probe has found on nodes, by node and code."""
    probed = fleet("probe", "-l", ":".join(names), "--json").json["nodes"]
    return {
        name: {conflict["code"]: conflict["message"] for conflict in node["conflicts"]}
        for name, node in probed.items()
    }


def test_a_guard_that_is_ended_in_its_restore_is_tried_again(nodes: Lab, fleet: Fleet) -> None:
    """However it is ended: by signals, as for memory, or stopped by hand."""
    before = {name: nodes.nodes[name].digests("/etc") for name in NAMES}
    with ExitStack() as stack:
        for name in NAMES:
            stack.enter_context(acting(nodes.nodes[name], "mv", "*.back*", ENDS[name]))
        killed_on(nodes.nodes.values(), fleet, "--soak", "7", "--guard", "12", "--no-verify")
        shown = conflicts(fleet, "trixie1")["trixie1"]
        for name in NAMES:
            waited(nodes.nodes[name])
        assert all(acted(nodes.nodes[name]) for name in NAMES)

    assert " is unconfirmed since " in shown["guard-pending"]
    for name in NAMES:
        assert nodes.nodes[name].digests("/etc") == before[name]
        assert settled(nodes.nodes[name]) == ("restored", "timer")
        gone(nodes.nodes[name])
    assert conflicts(fleet, "trixie1") == {"trixie1": {}}


def test_a_guard_that_fails_at_boot_fails_its_unit_and_is_tried_again(
    nodes: Lab, fleet: Fleet
) -> None:
    chosen = [nodes.nodes[name] for name in ("bookworm1", "forky1")]
    before = {node.name: node.digests("/etc") for node in chosen}
    killed_on(chosen, fleet, "--soak", "20")
    rollout = chosen[0].sh("cat /var/lib/fleet/pending/id").stdout.strip()
    for node in chosen:
        chattr(node, "+i")
    try:
        nodes.each(LabNode.reboot, chosen)
        for node in chosen:
            has_failed(node)
        found = conflicts(fleet, *before)
        time.sleep(21)  # another try, which fails as well
        audited = [node.sh("grep -c guard /var/lib/fleet/audit.log").stdout for node in chosen]
    finally:
        for node in chosen:
            chattr(node, "-i")
    for node in chosen:
        waited(node)

    assert audited == ["1\n", "1\n"]
    for node in chosen:
        message = found[node.name]["guard-failing"]
        assert f"has failed to revert the change of rollout {rollout} since" in message
        assert CONFIG in message
        assert node.digests("/etc") == before[node.name]
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
    assert "Use --guard 65 or more" in ran.stderr
