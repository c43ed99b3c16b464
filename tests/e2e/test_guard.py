"""The guard: what nobody confirms, the node takes back by itself; and locks of dead runs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable

import pytest

from tests.e2e.test_failures import failure_of
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
UNITS = "systemctl list-units --plain --no-legend --state=active,activating,failed 'fleet-guard*'"


def killed(fleet: Fleet, node: LabNode, *flags: str) -> subprocess.Popen[str]:
    """Kill a rollout between the swap and its confirmation; return the dead process."""
    return killed_on([node], fleet, "--soak", "4", *flags)


def killed_on(nodes: Iterable[LabNode], fleet: Fleet, *flags: str) -> subprocess.Popen[str]:
    """Kill a rollout when the change is in force on all of some nodes, which it does at once."""
    chosen = list(nodes)
    words = ("-l", ":".join(node.name for node in chosen), "--batch", str(len(chosen)))
    running = fleet.start("rollout", "-y", *words, *flags)
    for node in chosen:
        while node.sh("grep swapped /var/lib/fleet/pending/phase", check=False).returncode:
            assert running.poll() is None
    running.kill()
    running.communicate()
    return running


def waited(node: LabNode, seconds: float = 45) -> None:
    """Wait until no change is pending on a node."""
    until = time.monotonic() + seconds
    while node.sh("test -e /var/lib/fleet/pending", check=False).returncode == 0:
        assert time.monotonic() < until, node.sh(f"ls -l /var/lib/fleet/pending; {UNITS}").stdout
        time.sleep(0.5)


def settled(node: LabNode) -> tuple[str, str]:
    """Return how the last change ended, and by whose hand."""
    phase, why = node.sh("cat /var/lib/fleet/last/phase /var/lib/fleet/last/why").stdout.split()
    assert node.sh("ls /run/fleet").stdout == "mutex\n"
    assert node.sh("ctr plugins ls id==cri").stdout.split()[-1] == "ok"
    return phase, why


def etc(lab: Lab) -> dict[str, dict[str, str]]:
    """Describe every file below /etc, node by node."""
    return {name: node.digests("/etc") for name, node in lab.nodes.items()}


def test_a_change_of_a_killed_fleet_is_undone_by_the_timer(nodes: Lab, fleet: Fleet) -> None:
    before = etc(nodes)

    killed_on(nodes.nodes.values(), fleet, "--soak", "7", "--guard", "12")
    for node in nodes.nodes.values():
        waited(node)

    assert etc(nodes) == before
    for node in nodes.nodes.values():
        assert settled(node) == ("restored", "timer"), node.name


def test_a_reboot_before_the_confirmation_brings_the_old_config_back(
    nodes: Lab, fleet: Fleet
) -> None:
    before = etc(nodes)

    killed_on(nodes.nodes.values(), fleet, "--soak", "20")
    changed = etc(nodes)
    nodes.each(LabNode.reboot)

    assert [name for name in changed if changed[name] == before[name]] == []
    assert etc(nodes) == before
    for node in nodes.nodes.values():
        assert settled(node) == ("restored", "boot"), node.name


def test_a_confirmed_change_survives_a_reboot_and_leaves_no_guard(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]

    ran = fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--json")
    converged = trixie.digests("/etc")
    trixie.reboot()

    assert ran.code == 0, ran.text
    assert [path for path in converged if "fleet-guard" in path or ".fleet-" in path] == []
    assert trixie.digests("/etc") == converged
    assert fleet("diff", "-l", "trixie1", "--exit-code").code == 0


def test_a_lock_of_a_dead_run_is_shown_and_broken_by_its_id_alone(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    before = trixie.digests("/etc")
    killed(fleet, trixie)

    shown = fleet("locks", "--json").json["nodes"]
    rollout = shown["trixie1"]["rollout"]
    probed = fleet("probe", "-l", "trixie1", "--json").json["nodes"]["trixie1"]
    again = fleet("rollout", "-y", "-l", "trixie1", "--json")
    wrong = fleet("unlock", "20200101-000000-0000", "-y", "-l", "trixie1")
    right = fleet("unlock", rollout, "-y", "--json")

    assert [name for name, each in shown.items() if each["rollout"]] == ["trixie1"]
    assert shown["trixie1"]["purpose"] == "rollout"
    assert (probed["state"], probed["unconfirmed"]["rollout"]) == ("unconfirmed", rollout)
    assert 90 < probed["unconfirmed"]["reverts_in"] <= 180
    assert (again.code, failure_of(again.json)[:2]) == (3, ("locked", "lock")), again.text
    assert (wrong.code, right.code) == (1, 0), wrong.text + right.text
    assert f"not unlocked: held by rollout {rollout}" in wrong.stdout
    unlocked = right.json["nodes"]["trixie1"]
    assert (unlocked["ended"], unlocked["undone"]) == ("released", True)
    assert right.json["next"] == [f"fleet resume {rollout}"]
    assert trixie.digests("/etc") == before
    assert settled(trixie) == ("restored", "asked")


def test_a_node_that_cannot_arm_a_guard_is_refused_unless_told_otherwise(
    nodes: Lab, fleet: Fleet
) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh("mv /usr/bin/systemd-run /usr/bin/systemd-run.away")
    before = trixie.digests("/etc")
    try:
        flags = ("rollout", "-y", "-l", "trixie1", "--soak", "0", "--no-verify", "--json")
        refused = fleet(*flags)
        untouched = trixie.digests("/etc")
        told = fleet(*flags, "--guard", "0")
    finally:
        trixie.sh("mv /usr/bin/systemd-run.away /usr/bin/systemd-run")

    failure = refused.json["nodes"]["trixie1"]["failure"]
    assert (failure["kind"], failure["step"]) == ("unsupported", "guard")
    assert "--guard 0" in failure["remedy"]
    assert untouched == before
    assert told.code == 0, told.text


def test_a_timer_of_another_change_leaves_this_one_alone(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    killed(fleet, trixie)
    late = "sh /var/lib/fleet/pending/guard.sh timer 20200101-000000-0000"
    changed = trixie.digests("/etc/containerd")

    ran = trixie.sh(late, check=False)

    assert ran.returncode == 0
    assert trixie.digests("/etc/containerd") == changed
    assert fleet("resume", "-y", "--json").code == 0
    assert trixie.digests("/etc/containerd") == {
        path: each for path, each in changed.items() if ".fleet-" not in path
    }
