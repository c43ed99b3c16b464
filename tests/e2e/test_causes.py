"""What keeps a change from being written: each cause told as itself, before anything changes."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.e2e.test_failures import failure_of
from tests.e2e.test_locks import AWAY, BACK
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid
from tests.support.processes import limited_sshd

pytestmark = pytest.mark.e2e
QUICK = ("--batch", "4", "--soak", "0", "--no-verify", "--json")
PHASE = "/var/lib/fleet/pending/phase"
CONFIG = "/etc/containerd/config.toml"
# How a node is made ill, how it is mended, and what it must say of it.
FIRST = {
    "bullseye1": (
        f"mount --bind {CONFIG} {CONFIG}",
        f"umount {CONFIG}",
        ("conflict", "stage", f"{CONFIG} is a mount point, so it cannot be replaced (EBUSY)"),
    ),
    "bookworm1": (
        f"chattr +i {CONFIG}",
        f"chattr -i {CONFIG}",
        ("storage", "stage", f"cannot write {CONFIG}: the operation is not permitted (EPERM)"),
    ),
    "trixie1": (
        "mkdir -p /var/lib/fleet; mount -t tmpfs -o mode=700,nr_inodes=2 tmpfs /var/lib/fleet",
        "umount /var/lib/fleet; rmdir /var/lib/fleet",
        ("storage", "keep", "no inodes are left (ENOSPC)"),
    ),
    "forky1": (
        "mount --bind /etc/containerd /etc/containerd; mount -o remount,bind,ro /etc/containerd",
        "umount /etc/containerd",
        ("storage", "stage", "the file system is read-only (EROFS)"),
    ),
}
SECOND = {
    "forky1": (
        "mkdir -p /var/lib/fleet; mount -t tmpfs -o mode=700,size=16k tmpfs /var/lib/fleet;"
        " head -c 16k /dev/zero >/var/lib/fleet/full",
        "umount /var/lib/fleet; rmdir /var/lib/fleet",
        ("storage", "keep", "no space is left (ENOSPC)"),
    ),
    "bookworm1": (
        "mkdir -p /run/fleet; mount --bind /run/fleet /run/fleet; mount -o remount,bind,ro"
        " /run/fleet",
        "umount /run/fleet",
        ("storage", "lock", "the file system is read-only (EROFS)"),
    ),
    "trixie1": (
        "mv /usr/bin/flock /usr/bin/flock.away",
        "mv /usr/bin/flock.away /usr/bin/flock",
        ("unsupported", "lock", "flock is missing on this node"),
    ),
    "bullseye1": (
        "chattr +i /etc/containerd",
        "chattr -i /etc/containerd",
        (
            "storage",
            "stage",
            "cannot write /etc/containerd: the operation is not permitted (EPERM)",
        ),
    ),
}


@pytest.mark.parametrize("ills", [FIRST, SECOND], ids=["one", "another"])
def test_each_cause_is_told_as_itself_before_any_restart(
    nodes: Lab, fleet: Fleet, ills: dict[str, tuple[str, str, tuple[str, str, str]]]
) -> None:
    pids = {name: main_pid(nodes, name) for name in nodes.nodes}
    for name, (ill, _, _) in ills.items():
        nodes.nodes[name].sh(ill)
    try:
        ran = fleet("rollout", "-y", "--max-failures", "3", *QUICK)
    finally:
        for name, (_, mend, _) in ills.items():
            nodes.nodes[name].sh(mend, check=False)

    for name, (_, _, (kind, step, message)) in ills.items():
        told = failure_of(ran.json, name)
        assert told[:2] == (kind, step), told
        assert message in told[2]
    assert set(statuses(ran.json).values()) == {"failed"}
    assert {name: main_pid(nodes, name) for name in nodes.nodes} == pids


def test_a_socket_that_was_moved_is_found(nodes: Lab, fleet: Fleet) -> None:
    """By the config on one node, by the command line on another."""
    moved = f"printf '\\n[grpc]\\naddress = \"/run/containerd/other.sock\"\\n' >>{CONFIG}"
    nodes.nodes["trixie1"].sh(f"{moved}; systemctl restart containerd")
    drop_in = "/etc/systemd/system/containerd.service.d"
    started = "[Service]\\nExecStart=\\nExecStart=/usr/bin/containerd --address /run/other.sock"
    nodes.nodes["forky1"].sh(
        f"mkdir -p {drop_in}; printf '{started}\\n' >{drop_in}/lab.conf; systemctl daemon-reload;"
        " systemctl restart containerd"
    )

    ran = fleet("rollout", "-y", "-l", "trixie1,forky1", *QUICK)

    nodes.nodes["forky1"].sh(
        f"rm -r {drop_in}; systemctl daemon-reload; systemctl restart containerd"
    )
    assert ran.code == 0, ran.text
    assert set(statuses(ran.json).values()) == {"converged"}


_PENALTIES = "/etc/ssh/sshd_config.d/zz-penalties.conf"
EXHAUSTED = {
    3: "a locked account, or no free processes",  # sshd itself
    4: "or the node cannot start more processes",  # what sudo asks for the account
    6: "the node cannot start more processes for this user (EAGAIN)",
    9: "the node cannot start more processes for this user (EAGAIN)",  # parts of the probe
    11: "the node cannot start more processes for this user (EAGAIN)",  # threads of ctr
}


def test_a_node_that_can_start_no_more_processes_is_told_as_that(nodes: Lab, fleet: Fleet) -> None:
    told = {}
    node = nodes.nodes["trixie1"]
    # sshd keeps out the address of a session that it could not start; this is not what is tried.
    node.sh(f"printf 'PerSourcePenalties no\\n' >{_PENALTIES}; sshd -t || rm {_PENALTIES}")
    node.sh("systemctl reload ssh")
    with limited_sshd(node) as limit:
        for most in EXHAUSTED:
            limit(most)
            ran = fleet("diff", "-l", "trixie1", "--json", "--connect-timeout", "3")
            told[most] = failure_of(ran.json)[2]
    node.sh(f"rm -f {_PENALTIES}; systemctl reload ssh")

    assert {m: text for m, text in told.items() if EXHAUSTED[m] not in text} == {}


def test_a_fleet_that_was_stopped_says_so(nodes: Lab, fleet: Fleet) -> None:
    bookworm = nodes.nodes["bookworm1"]
    bookworm.sh("cp ~ops/.bashrc /run/bashrc; sed -i '1i sleep 27.1' ~ops/.bashrc")
    survey = fleet.start("probe", "-l", "bookworm1", "--connect-timeout", "1", "--json")
    while "27.1" not in bookworm.sh("pgrep -af sleep || true").stdout:
        assert survey.poll() is None
    flags = ("--guard", "8", "--soak", "3", "--no-verify", "--json")
    running = fleet.start("rollout", "-y", "-l", "forky1", *flags)
    assert running.stderr is not None
    while "forky1: started" not in running.stderr.readline():
        assert running.poll() is None
    until = time.monotonic() + 30
    while "swapped" not in nodes.nodes["forky1"].sh(f"cat {PHASE} || true").stdout:
        assert time.monotonic() < until
    for each in (running, survey):
        each.send_signal(signal.SIGSTOP)
    bookworm.sh(AWAY)
    time.sleep(14)
    for each in (running, survey):
        each.send_signal(signal.SIGCONT)

    running.communicate(timeout=60)
    probed = json.loads(survey.communicate(timeout=60)[0])["nodes"]["bookworm1"]["failure"]
    bookworm.sh(f"{BACK}; cp /run/bashrc ~ops/.bashrc")

    told = fleet("history", "--json").json["rollouts"][0]
    kind, _, message = failure_of(told, "forky1")
    assert kind == "guard"
    assert message.startswith("fleet itself was suspended for 1")
    assert probed["message"].startswith("fleet itself was suspended for 1"), probed
