"""Locks: a rollout that has ended holds no node, or says which one, and how that is settled."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest

from tests.e2e.test_conflicts import CONFIG
from tests.e2e.test_edits import PENDING
from tests.e2e.test_resume import killed_after
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet
from tests.support.hands import acted, acting

pytestmark = pytest.mark.e2e
QUICK = ("--soak", "0", "--no-verify", "--json")
AWAY = "systemctl stop ssh.socket ssh 2>/dev/null; pkill -f ^sshd; true"
BACK = "systemctl start ssh"
_NO_SUDO = "mv /etc/sudoers.d/ops /root/ops.sudoers"
_SUDO = "mv /root/ops.sudoers /etc/sudoers.d/ops"


def lock_of(lab: Lab, name: str) -> str:
    """Return the id of the rollout that holds a node, or nothing."""
    return (
        lab.nodes[name].sh("[ ! -e /run/fleet/lock ] || head -n 1 /run/fleet/lock").stdout.strip()
    )


def test_a_finished_rollout_says_which_nodes_it_still_holds(nodes: Lab, fleet: Fleet) -> None:
    """One node goes away between staging and activation, another one refuses sudo by then."""
    trixie, forky = nodes.nodes["trixie1"], nodes.nodes["forky1"]
    names = "bookworm1,trixie1,forky1"
    flags = ("--batch", "1,2", "--max-failures", "2", "--soak", "4", "--no-verify")
    running = fleet.start("rollout", "-y", "-l", names, *flags, "--connect-timeout", "3")
    assert running.stderr is not None
    while "bookworm1: started" not in running.stderr.readline():
        assert running.poll() is None
    trixie.sh(AWAY)
    forky.sh(_NO_SUDO)
    try:
        told, _ = running.communicate(timeout=120)
    finally:
        trixie.sh(BACK)
        forky.sh(_SUDO)
    listed = fleet("history", "--json").json["rollouts"][0]
    shown = fleet("history", listed["rollout"]).stdout

    assert running.returncode == 1, told
    assert listed["status"] == "finished"
    ends = {name: (each["status"], each["held"]) for name, each in listed["nodes"].items()}
    assert ends == {
        "bookworm1": ("converged", False),
        "trixie1": ("unreachable", True),
        "forky1": ("no_access", True),
    }
    still = f"still locked by this rollout; `fleet resume {listed['rollout']}` settles that"
    assert still in told
    assert still in shown
    assert [lock_of(nodes, name) for name in ("trixie1", "forky1")] == [listed["rollout"]] * 2

    over = fleet("rollout", "-y", "-l", "trixie1", *QUICK)
    resumed = fleet("resume", "-y", "--json")

    assert (over.code, statuses(over.json)) == (0, {"trixie1": "converged"}), over.text
    assert f"trixie1: released the lock that rollout {listed['rollout']}" in over.stderr
    assert (resumed.code, resumed.json["rollout"]) == (0, listed["rollout"]), resumed.text
    ends = {"bookworm1": "converged", "trixie1": "unchanged", "forky1": "converged"}
    assert statuses(resumed.json) == ends
    assert [lock_of(nodes, name) for name in nodes.nodes] == [""] * 4
    assert fleet("resume", "-y", listed["rollout"]).code == 0


def test_resume_releases_a_node_that_it_cannot_go_on_with(nodes: Lab, fleet: Fleet) -> None:
    killed_after(fleet, "bookworm1: started", "--no-verify")
    trixie = nodes.nodes["trixie1"]
    held = lock_of(nodes, "trixie1")
    trixie.sh("systemctl stop containerd")

    ran = fleet("resume", "-y", "--json")
    trixie.sh("systemctl start containerd")

    assert held == ran.json["rollout"]
    assert statuses(ran.json)["trixie1"] == "failed", ran.text
    assert not any(each["held"] for each in ran.json["nodes"].values())
    assert lock_of(nodes, "trixie1") == ""


def test_a_script_that_is_killed_once_a_change_is_settled_leaves_no_lock(
    nodes: Lab, fleet: Fleet
) -> None:
    """One node has confirmed its change, the other one has taken it back, as a file was edited."""
    names = ("trixie1", "forky1")
    killed = '/usr/bin/mv "$@"; kill -9 0'
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(acting(nodes.nodes[name], "mv", "*/pending*/last", killed))
        running = fleet.start(
            *("rollout", "-y", "-l", ":".join(names), "--batch", "2", "--max-failures", "2"),
            *("--soak", "4", "--no-verify", "--no-liveness", "--json"),
        )
        while nodes.nodes["forky1"].sh(PENDING, check=False).returncode:
            assert running.poll() is None
        nodes.nodes["forky1"].sh("echo '# by hand' >>/etc/containerd/config.toml")
        out, told = running.communicate(timeout=120)
        assert all(acted(nodes.nodes[name]) for name in names)

    assert statuses(json.loads(out)) == {"trixie1": "converged", "forky1": "rolled_back"}, told
    for name in names:
        node = nodes.nodes[name]
        assert node.sh("ls /run/fleet").stdout == "mutex\n"
        assert node.sh("ls -d /etc/systemd/system/fleet-guard* 2>/dev/null; true").stdout == ""
        assert node.sh("systemctl list-units -q --plain 'fleet-guard*.timer'").stdout == ""


_BREAKS = f"chattr +i {CONFIG}; mv /usr/bin/containerd /root/containerd.away"
_MENDS = f"chattr -i {CONFIG}; mv /root/containerd.away /usr/bin/containerd"


def test_a_degraded_node_whose_revert_failed_is_named_and_resumed(nodes: Lab, fleet: Fleet) -> None:
    """Its files cannot be restored and its containerd is gone, so its lock and change stay."""
    bookworm = nodes.nodes["bookworm1"]
    before = bookworm.digests("/etc")
    words = ("-l", "bookworm1", "--health-timeout", "3", "--no-verify")
    try:
        with acting(bookworm, "systemctl", "restart*containerd*", _BREAKS):
            ran = fleet("rollout", "-y", *words, "--soak", "0", "--json")
            assert acted(bookworm)
        held = lock_of(nodes, "bookworm1")
        shown = fleet("history", ran.json["rollout"]).stdout
    finally:
        bookworm.sh(_MENDS)
    resumed = fleet("resume", "-y", "--json")

    ends = {name: (each["status"], each["held"]) for name, each in ran.json["nodes"].items()}
    assert ends == {"bookworm1": ("degraded", True)}, ran.text
    assert (ran.code, held) == (5, ran.json["rollout"])
    assert f"bookworm1: still locked by this rollout; `fleet resume {held}`" in shown
    assert resumed.code in {0, 3}, resumed.text
    assert statuses(resumed.json)["bookworm1"] in {"converged", "rolled_back"}
    assert not any(each["held"] for each in resumed.json["nodes"].values())
    assert lock_of(nodes, "bookworm1") == ""
    if statuses(resumed.json)["bookworm1"] == "rolled_back":  # its guard came first
        assert bookworm.digests("/etc") == before
