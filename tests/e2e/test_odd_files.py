"""Files that are not plain ones: refused by name before anything is touched, or carried whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.test_guard import killed, settled
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
_DOCKER = "mkdir -p /etc/containerd/certs.d/docker.io; cd /etc/containerd/certs.d/docker.io; "
_LONG = "head -c 1048577 /dev/zero | tr '\\0' '#' >>"
ODD = (
    {
        "bullseye1": (
            "cd /etc/containerd; rm config.toml; mkdir config.toml",
            "/etc/containerd/config.toml is a folder",
        ),
        "bookworm1": (f"{_DOCKER} mkdir hosts.toml", "docker.io/hosts.toml is a folder"),
        "trixie1": (f"{_DOCKER} mkfifo hosts.toml", "docker.io/hosts.toml is a FIFO"),
        "forky1": (
            f"{_DOCKER} ln -s /nowhere hosts.toml",
            "docker.io/hosts.toml is a symbolic link to /nowhere, where nothing is",
        ),
    },
    {
        "bullseye1": (
            f"{_LONG} /etc/containerd/config.toml",
            "/etc/containerd/config.toml has 1",
        ),
        "bookworm1": (f"{_DOCKER} {_LONG} hosts.toml", "docker.io/hosts.toml has 1048577 bytes"),
        "trixie1": (f"{_DOCKER} mknod hosts.toml c 1 3", "hosts.toml is a character device"),
        "forky1": (
            "mkdir /etc/containerd/certs.d; mkfifo /etc/containerd/certs.d/docker.io",
            "/etc/containerd/certs.d/docker.io is a FIFO, and",
        ),
    },
)


@pytest.mark.parametrize("odd", ODD, ids=["types", "sizes"])
def test_what_cannot_be_carried_is_refused_by_its_name(
    nodes: Lab, fleet: Fleet, odd: dict[str, tuple[str, str]]
) -> None:
    for name, (script, _) in odd.items():
        nodes.nodes[name].sh(script)
    before = {name: listing(nodes.nodes[name]) for name in odd}

    ran = fleet("rollout", "-y", "--json")
    after = {name: listing(nodes.nodes[name]) for name in odd}

    told = {name: each["failure"] for name, each in ran.json["nodes"].items()}
    assert {each["kind"] for each in told.values()} == {"conflict"}, told
    for name, (_, message) in odd.items():
        assert message in told[name]["message"]
    assert after == before


_FOLDER = """
mkdir -p /etc/containerd/certs.d/old.example
cd /etc/containerd/certs.d/old.example
printf '# by hand\\n' >hosts.toml
ln hosts.toml ../hosts.toml.other
ln ../../config.toml ../config.toml.other
chown root:ops .
chown ops:ops hosts.toml
chmod 2750 .
chmod 640 hosts.toml
"""


def listing(node: LabNode) -> dict[str, str]:
    """Describe all below /etc/containerd, and which names are one file."""
    root = node.root / "etc/containerd"
    paths = sorted((root, *root.rglob("*")))
    first = {path.lstat().st_ino: path.name for path in reversed(paths)}
    return {
        str(path.relative_to(root)): f"{first[path.lstat().st_ino]} {described(path)}"
        for path in paths
    }


def described(path: Path) -> str:
    """Describe one file: type, mode, owner, extended attributes, and content or target."""
    about = path.lstat()
    names = sorted(os.listxattr(path, follow_symlinks=False))
    # An overlay has attributes of its own, which the node does not see.
    ours = [
        (name, os.getxattr(path, name, follow_symlinks=False))
        for name in names
        if not name.startswith("trusted.overlay")
    ]
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    content = f"-> {path.readlink()}".encode() if path.is_symlink() else content
    return f"{about.st_mode:o} {about.st_uid}:{about.st_gid} {ours} {content!r}"


def label(node: LabNode, *names: str) -> None:
    """Give files attributes and a label, as a node with SELinux has them."""
    for name in names:
        path = node.root / "etc/containerd/certs.d/old.example" / name
        os.setxattr(path, "user.note", f"of {name}".encode())
        os.setxattr(path, "security.selinux", b"system_u:object_r:etc_t:s0\0")


def test_what_was_there_comes_back_with_all_its_attributes_and_names(
    nodes: Lab, fleet: Fleet
) -> None:
    node = nodes.nodes["trixie1"]
    node.sh(_FOLDER)
    label(node, "", "hosts.toml")
    before = listing(node)

    killed(fleet, node, "--overwrite")
    swapped = listing(node)
    node.sh("sh /var/lib/fleet/pending/guard.sh timer")
    by_guard = listing(node)
    done = fleet("rollout", "-y", "-l", node.name, "--overwrite", "--soak", "0")
    gone = listing(node)
    back = fleet("rollback", "-y", "-l", node.name, "--soak", "0")

    assert "certs.d/old.example" not in swapped
    assert by_guard == before
    assert done.code == 0, done.text
    assert "certs.d/old.example" not in gone
    assert back.code == 0, back.text
    assert listing(node) == before


def test_a_folder_in_the_way_is_kept_and_stops_no_way_back(nodes: Lab, fleet: Fleet) -> None:
    node = nodes.nodes["forky1"]
    before = node.digests("/etc")
    path = "/etc/containerd/certs.d/docker.io/hosts.toml"
    link = "/etc/containerd/config.toml"

    killed(fleet, node)
    node.sh(f"rm {path}; mkdir {path}; echo mine >{path}/note; ln -sf /nowhere {link}")
    node.sh("sh /var/lib/fleet/pending/guard.sh timer")
    kept = node.sh(
        "cd /var/lib/fleet/generations/*-displaced && find files | sort; cat files/*/note"
    )

    assert node.digests("/etc") == before
    assert settled(node) == ("restored", "timer")
    assert kept.stdout.splitlines() == ["files", "files/0", "files/0/note", "files/1", "mine"]


_DAMAGE = """
cd /var/lib/fleet/generations/*[0-9a-f]
cp -a . /root/whole
: >{name}
sh /var/lib/fleet/pending/guard.sh timer
echo "code $?"
rm -rf ./*
cp -a /root/whole/. .
"""


def test_a_damaged_generation_is_refused_by_name(nodes: Lab, fleet: Fleet) -> None:
    node = nodes.nodes["bookworm1"]
    before = node.digests("/etc/containerd")
    killed(fleet, node)
    swapped = node.digests("/etc/containerd")

    for name in ("manifest", "seal", "after"):
        told = node.sh(_DAMAGE.format(name=name))
        assert "degraded (timer)" in told.stderr
        assert node.digests("/etc/containerd") == swapped
    node.sh("sh /var/lib/fleet/pending/guard.sh timer")
    assert node.digests("/etc/containerd") == before

    assert fleet("rollout", "-y", "-l", node.name, "--soak", "0").code == 0
    node.sh("set -- /var/lib/fleet/generations/*/files/*; : >$1")
    ran = fleet("rollback", "-y", "-l", node.name, "--json")

    failure = ran.json["nodes"]["bookworm1"]["failure"]
    assert (ran.code, failure["kind"]) == (1, "no_generation")
    assert " is damaged (files/" in failure["message"]
    assert "missing or not as it was saved)" in failure["message"]
