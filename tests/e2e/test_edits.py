"""Edits by other hands in the moments of a change: none is lost, and none is told as converged."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

import pytest

from tests.e2e.test_guard import killed
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet, main_pid
from tests.support.hands import KILL_GUARD, acted, acting

pytestmark = pytest.mark.e2e

CONFIG = "/etc/containerd/config.toml"
QUAY = "/etc/containerd/certs.d/quay.io"
ALL = ("rollout", "-y", "--batch", "4", "--max-failures", "4", "--no-verify", "--json")
PENDING = "grep swapped /var/lib/fleet/pending/phase"
EDIT = "# by hand"
BY_RENAME = (
    "{{ cat {path}; echo '# by hand'; }} >{path}.tmp && PATH=/usr/bin:/bin mv -fT {path}.tmp {path}"
)
IN_PLACE = "echo '# by hand' >>{path}"


def kept(node: LabNode) -> str:
    """Return the contents of all files that the node's generations keep."""
    return node.sh("cat /var/lib/fleet/generations/*/files/* 2>/dev/null; true").stdout


def rest(node: LabNode, *but: str) -> dict[str, str]:
    """Describe all files below /etc but those that a hand has changed."""
    return {path: about for path, about in node.digests("/etc").items() if path not in but}


MOMENTS = {
    "replaced while it was kept": ("cp", f"*{CONFIG}*/files/*", BY_RENAME),
    "written to while it was kept": ("cp", f"*{CONFIG}*/files/*", IN_PLACE),
    "replaced in the swap": ("mv", f"*{CONFIG}", BY_RENAME),
    "written to in the swap": ("mv", f"*{CONFIG}", IN_PLACE),
    "written to before the swap": ("systemd-run", "*", IN_PLACE),
}


@pytest.mark.parametrize(("command", "pattern", "edit"), MOMENTS.values(), ids=list(MOMENTS))
def test_an_edit_of_a_file_that_is_replaced_stays_in_its_place(
    nodes: Lab, fleet: Fleet, command: str, pattern: str, edit: str
) -> None:
    """On nodes whose mv swaps two files in one step, and on those whose mv does not."""
    before = {name: rest(node, CONFIG) for name, node in nodes.nodes.items()}
    processes = {name: main_pid(nodes, name) for name in nodes.nodes}
    texts = {name: node.sh(f"cat {CONFIG}").stdout for name, node in nodes.nodes.items()}
    action = edit.format(path=CONFIG)

    with ExitStack() as stack:
        for node in nodes.nodes.values():
            stack.enter_context(acting(node, command, pattern, action))
        ran = fleet(*ALL)
        assert all(map(acted, nodes.nodes.values()))

    assert ran.code == 3, ran.text
    for name, node in nodes.nodes.items():
        told = ran.json["nodes"][name]
        assert (told["status"], told["restarted"]) == ("stale", False)
        assert CONFIG in told["failure"]["message"]
        assert node.sh(f"cat {CONFIG}").stdout == f"{texts[name]}{EDIT}\n"
        assert rest(node, CONFIG) == before[name]
        assert main_pid(nodes, name) == processes[name]
        assert node.sh("ls /run/fleet; ls -d /var/lib/fleet/pending; true").stdout == "mutex\n"


FOREIGN = f"mkdir -p {QUAY} && printf 'server = \"https://quay.io\"\\n' >{QUAY}/hosts.toml"
OTHERS = {
    "a file that is deleted was written to": (
        FOREIGN, "mv", f"*{QUAY}/hosts.toml.fleet-*", f"echo '{EDIT}' >>{QUAY}/hosts.toml",
    ),
    "a file that is new came meanwhile": (
        f"mkdir -p {QUAY}", "ln", f"*{QUAY}/hosts.toml", f"echo '{EDIT}' >{QUAY}/hosts.toml",
    ),
    "a folder that is new came meanwhile": (
        "true", "mv", "-t*/quay.io*", f"mkdir -p {QUAY}; echo '{EDIT}' >{QUAY}/hosts.toml",
    ),
    "a file that is replaced was deleted": (
        "true", "mv", f"*{CONFIG}", f"rm -f {CONFIG}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("first", "command", "pattern", "action"), OTHERS.values(), ids=OTHERS)
def test_what_came_or_went_in_the_swap_is_not_undone_in_silence(
    nodes: Lab, fleet: Fleet, first: str, command: str, pattern: str, action: str
) -> None:
    names = ("bookworm1", "forky1")
    text = "version: 1\nmirrors:\n  docker.io: {endpoints: [https://dockerproxy.com]}\n"
    quay = "  quay.io: {endpoints: [https://quay.dockerproxy.com]}\n"
    fleet.write("mirrors.yaml", text if first == FOREIGN else text + quay)
    for name in names:
        nodes.nodes[name].sh(first)
    before = {name: rest(nodes.nodes[name], CONFIG) for name in names}

    with ExitStack() as stack:
        for name in names:
            stack.enter_context(acting(nodes.nodes[name], command, pattern, action))
        ran = fleet(*ALL, "-l", ":".join(names), "--overwrite")
        assert all(acted(nodes.nodes[name]) for name in names)

    assert ran.code == 3, ran.text
    for name in names:
        node, told = nodes.nodes[name], ran.json["nodes"][name]
        assert told["status"] == "stale", told
        found = rest(node, CONFIG)
        edited = f"{QUAY}/hosts.toml"
        if EDIT in action:
            assert EDIT in node.sh(f"cat {edited}").stdout
            before[name].pop(edited, None)
            found.pop(edited)
        assert found == before[name]


def test_files_that_another_hand_changes_in_the_soak_are_never_told_as_converged(
    nodes: Lab, fleet: Fleet
) -> None:
    """Written to, deleted, put back, and their folder gone: a different hand on every node."""
    hosts = "/etc/containerd/certs.d/docker.io/hosts.toml"
    edits = {
        "bullseye1": f"echo '{EDIT}' >>{CONFIG}",
        "bookworm1": f"rm {hosts}",
        "trixie1": "rm -r /etc/containerd/certs.d",
        "forky1": f"cp -p /root/config.toml {CONFIG}; echo '{EDIT}' >>{hosts}",
    }
    before = {name: node.digests("/etc") for name, node in nodes.nodes.items()}
    running = fleet.start(*ALL, "--soak", "5", "--no-liveness")
    for name, edit in edits.items():
        while nodes.nodes[name].sh(PENDING, check=False).returncode:
            assert running.poll() is None
        nodes.nodes[name].sh(edit)

    out, told = running.communicate(timeout=120)

    assert running.returncode in {1, 3}, told
    for name, node in nodes.nodes.items():
        said = json.loads(out)["nodes"][name]
        assert (said["status"], said["failure"]["kind"]) == ("rolled_back", "stale"), said
        assert node.digests("/etc") == before[name]
        assert (EDIT in kept(node)) == (EDIT in edits[name])


def test_an_edit_in_the_pause_is_named_and_stays(nodes: Lab, fleet: Fleet) -> None:
    node = nodes.nodes["trixie1"]
    hosts = "/etc/containerd/certs.d/docker.io/hosts.toml"
    nodes_of_two = ("-l", "trixie1:forky1", "--batch", "1")
    running = fleet.start(*ALL, *nodes_of_two, "--max-failures", "0", "--soak", "0", "--pause", "4")
    while node.sh("test -e /var/lib/fleet/last/id", check=False).returncode:
        assert running.poll() is None
    node.sh(f"echo '{EDIT}' >>{hosts}")

    out, told = running.communicate(timeout=120)

    assert running.returncode == 3, told
    assert '"status": "stale"' in out
    assert f"{hosts} was edited after the change wrote it" in out
    assert EDIT in node.sh(f"cat {hosts}").stdout


def test_a_change_that_was_confirmed_and_edited_is_not_told_as_converged_by_resume(
    nodes: Lab, fleet: Fleet
) -> None:
    node = nodes.nodes["forky1"]
    with acting(node, "mv", "*/pending*/last", '/usr/bin/mv "$@"; sleep 6; exit 0'):
        running = fleet.start(*ALL, "-l", "forky1", "--soak", "0")
        while node.sh("test -e /var/lib/fleet/last/id", check=False).returncode:
            assert running.poll() is None
        running.kill()
        running.communicate()
        node.sh(f"echo '{EDIT}' >>{CONFIG}")
        time.sleep(6)

    ran = fleet("resume", "-y", "--json")

    assert ran.code == 3, ran.text
    said = ran.json["nodes"]["forky1"]
    assert (said["status"], said["failure"]["kind"]) == ("stale", "stale")
    assert CONFIG in said["failure"]["message"]


def test_a_guard_that_was_killed_half_way_is_not_resumed_over(nodes: Lab, fleet: Fleet) -> None:
    """Some files are back, some are not: what is told is what the files are."""
    names = ("bullseye1", "bookworm1", "forky1")
    chosen = ":".join(names)
    running = fleet.start(*ALL, "-l", chosen, "--soak", "30")
    for name in names:
        while nodes.nodes[name].sh(PENDING, check=False).returncode:
            assert running.poll() is None
    running.kill()
    running.communicate()
    for name in names:
        with acting(nodes.nodes[name], "mv", "*.back*", KILL_GUARD):
            nodes.nodes[name].sh("sh /var/lib/fleet/pending/guard.sh timer", check=False)
            assert acted(nodes.nodes[name])
    phases = [nodes.nodes[name].sh("cat /var/lib/fleet/pending/phase").stdout for name in names]

    ran = fleet("resume", "-y", "--json")

    assert phases == ["reverting\n"] * 3
    assert ran.code == 0, ran.text
    assert {name: each["status"] for name, each in ran.json["nodes"].items()} == dict.fromkeys(
        names, "converged"
    )
    assert fleet("diff", "-l", chosen, "--exit-code").code == 0


def test_an_edit_in_the_moment_of_a_way_back_is_kept(nodes: Lab, fleet: Fleet) -> None:
    """On nodes with both kinds of mv."""
    names = ("bookworm1", "forky1")
    before = {name: nodes.nodes[name].digests("/etc") for name in names}
    for name in names:
        node = nodes.nodes[name]
        killed(fleet, node)
        action = f"echo '{EDIT}' >>{CONFIG}"
        with acting(node, "mv", f"*.config.toml.back*{CONFIG}", action):
            node.sh("sh /var/lib/fleet/pending/guard.sh timer")
            assert acted(node)

        assert EDIT in kept(node)
        assert node.digests("/etc") == before[name]
