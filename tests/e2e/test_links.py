"""A hosts.toml that is a symbolic link: replaced by a file, and restored as a link."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from tests.e2e.test_conflicts import ONE
from tests.e2e.test_edits import PENDING
from tests.e2e.test_odd_files import listing
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet
from tests.support.hands import acted, acting

pytestmark = pytest.mark.e2e
# bookworm's mv cannot exchange two files, forky's can.
NAMES = ("bookworm1", "forky1")
CERTS = "/etc/containerd/certs.d"
LINK = f"{CERTS}/docker.io/hosts.toml"
TOGETHER = ("--overwrite", "--batch", "2", "--max-failures", "2", "--no-verify")
_LINKED = f"""
mkdir -p /etc/containerd/mirrors {CERTS}/docker.io {CERTS}/quay.io
cd /etc/containerd/mirrors
printf 'server = "https://registry-1.docker.io"\\n' >docker.io.toml
printf 'server = "https://quay.io"\\n' >quay.io.toml
chown root:ops docker.io.toml
chmod 640 docker.io.toml
ln -s ../../mirrors/docker.io.toml {CERTS}/docker.io/hosts.toml
ln -s /etc/containerd/mirrors/quay.io.toml {CERTS}/quay.io/hosts.toml
chown -h ops:ops {CERTS}/*/hosts.toml
chmod 2750 {CERTS}/quay.io
"""


def linked(node: LabNode) -> None:
    """Make links to files of their own, with labels on the links themselves."""
    node.sh(_LINKED)
    for registry in ("docker.io", "quay.io"):
        path = node.root / f"etc/containerd/certs.d/{registry}/hosts.toml"
        label = f"system_u:object_r:{registry[0]}_t:s0\0".encode()
        os.setxattr(path, "security.selinux", label, follow_symlinks=False)


def killed_on_all(fleet: Fleet, lab: Lab) -> None:
    """Kill a rollout once its change is in force on all nodes and confirmed on none."""
    running = fleet.start("rollout", "-y", "-l", ":".join(NAMES), "--soak", "9", *TOGETHER)
    for name in NAMES:
        while lab.nodes[name].sh(PENDING, check=False).returncode:
            assert running.poll() is None
    running.kill()
    running.communicate()


def test_a_link_is_replaced_and_restored_with_its_target_untouched(
    nodes: Lab, fleet: Fleet
) -> None:
    fleet.write("mirrors.yaml", ONE)
    both = [nodes.nodes[name] for name in NAMES]
    for node in both:
        linked(node)
    before = [listing(node) for node in both]
    words = ("-y", "-l", ":".join(NAMES), "--soak", "0", "--batch", "2", "--json")

    killed_on_all(fleet, nodes)
    for node in both:
        node.sh("sh /var/lib/fleet/pending/guard.sh timer")
    by_guard = [listing(node) for node in both]
    done = fleet("rollout", *words, *TOGETHER)
    converged = [listing(node) for node in both]
    again = fleet("rollout", *words, *TOGETHER)
    drift = fleet("drift", "-l", ":".join(NAMES), "--exit-code")
    back = fleet("rollback", *words)
    restored = [listing(node) for node in both]
    forth = fleet("rollback", *words, "--to", back.json["rollout"])
    forward = [listing(node) for node in both]

    assert by_guard == before
    assert done.code == 0, done.text
    assert statuses(again.json) == dict.fromkeys(NAMES, "unchanged")
    assert drift.code == 0, drift.text
    assert back.code == 0, back.text
    assert restored == before
    assert forth.code == 0, forth.text
    assert forward == converged
    for old, new in zip(before, converged, strict=True):
        targets = {path: about for path, about in old.items() if path.startswith("mirrors")}
        assert targets.items() <= new.items()
        assert "->" not in str(new)


_OWN = "printf 'server = \"https://registry-1.docker.io\"\\n'"
REFUSED = {
    "bullseye1": (  # 1.4 reads no hosts.toml, so nothing is done about the link
        f"mkdir -p {CERTS}/docker.io; ln -s loop {CERTS}/docker.io/hosts.toml",
        "",
    ),
    "bookworm1": (
        f"mkdir -p {CERTS}/docker.io {CERTS}/ghcr.io; {_OWN} >/etc/containerd/one.toml;"
        f" for each in docker.io ghcr.io; do ln -s ../../one.toml {CERTS}/$each/hosts.toml; done",
        "is a symbolic link to ../../one.toml, and /etc/containerd/certs.d/ghcr.io/hosts.toml is",
    ),
    "trixie1": (
        f"mkdir -p {CERTS}/docker.io; {_OWN} >/home/ops/d.toml;"
        f" ln -s /home/ops/d.toml {CERTS}/docker.io/hosts.toml",
        "/home/ops is writable for users other than root",
    ),
    "forky1": (
        f"mkdir -p {CERTS}/docker.io; {_OWN} >'/srv/a b';"
        f" ln -s '/srv/a b' {CERTS}/docker.io/hosts.toml",
        "is a symbolic link, which fleet does not follow",
    ),
}


def test_a_link_to_what_others_share_or_can_change_is_refused(nodes: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", ONE)
    for name, (script, _) in REFUSED.items():
        nodes.nodes[name].sh(script)
    before = {name: listing(nodes.nodes[name]) for name in REFUSED}

    ran = fleet("rollout", "-y", "--json", "--max-failures", "4", "--soak", "0", "--no-verify")
    after = {name: listing(nodes.nodes[name]) for name in REFUSED}
    nodes.each(lambda node: node.sh("rm -f /home/ops/d.toml '/srv/a b'"))

    told = ran.json["nodes"]
    assert told.pop("bullseye1")["status"] == "converged", ran.text
    for name, end in told.items():
        assert REFUSED[name][1] in end["failure"]["message"], end
        assert after[name] == before[name]
    assert "loop" in after["bullseye1"]["certs.d/docker.io/hosts.toml"]


_MADE_FOLDER = f"rm {LINK}; mkdir {LINK}; echo x >{LINK}/x"
WINDOWS = {
    "retargeted before the swap": ("systemd-run", "*", f"ln -sfn other.toml {LINK}"),
    "retargeted in the swap": ("mv", f"*{LINK}", f"ln -sfn other.toml {LINK}"),
    "made a folder in the swap": ("mv", f"*{LINK}", f"umask 022; {_MADE_FOLDER}"),
}


@pytest.mark.parametrize(("command", "pattern", "action"), WINDOWS.values(), ids=WINDOWS)
def test_a_link_that_changes_in_the_swap_stays_as_it_was_changed(
    nodes: Lab, fleet: Fleet, command: str, pattern: str, action: str
) -> None:
    fleet.write("mirrors.yaml", ONE)
    both = [nodes.nodes[name] for name in NAMES]
    for node in both:
        linked(node)
    edited = []
    for node in both:
        node.sh(f"cp -a /etc/containerd /root/as-it-was; {action}")
        edited.append(listing(node))
        node.sh("rm -rf /etc/containerd/*; cp -a /root/as-it-was/. /etc/containerd")
        node.sh("rm -rf /root/as-it-was")

    with ExitStack() as stack:
        for node in both:
            stack.enter_context(acting(node, command, pattern, action))
        ran = fleet("rollout", "-y", "-l", ":".join(NAMES), "--json", *TOGETHER)
        assert all(map(acted, both))

    assert statuses(ran.json) == dict.fromkeys(NAMES, "stale"), ran.text
    for node, after in zip(both, edited, strict=True):
        assert LINK in ran.json["nodes"][node.name]["failure"]["message"]
        assert listing(node) == after
