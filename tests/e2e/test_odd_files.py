"""Files that are not plain ones: refused by name before anything is touched, or carried whole."""

from __future__ import annotations

import os
import struct
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.test_edits import ALL, rest
from tests.e2e.test_guard import killed, settled
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet, main_pid
from tests.support.hands import acted, acting

pytestmark = pytest.mark.e2e
NO_ID = 0xFFFFFFFF
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
            "docker.io/hosts.toml is a symbolic link to /nowhere, which does not exist",
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
            "/etc/containerd/certs.d/docker.io is a FIFO, but",
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


_ACCESS = struct.pack("<I" + "HHI" * 5, 2, *(1, 7, NO_ID), *(2, 5, 1000), *(4, 5, NO_ID),
                      *(16, 5, NO_ID), *(32, 1, NO_ID))  # fmt: skip


def dressed(node: LabNode, *, inherited: bool) -> None:
    """Give what a rollout has made owners, attributes, labels and ACLs of an administrator.

    A default ACL of a folder that stays is `inherited` by all that is made in it, as it should.
    """
    certs = node.root / "etc/containerd/certs.d"
    node.sh("cd /etc/containerd/certs.d; chown -R root:ops .; chmod 2751 . docker.io")
    for path in (certs, certs / "docker.io", certs / "docker.io/hosts.toml"):
        os.setxattr(path, "user.note", path.name.encode())
        os.setxattr(path, "trusted.note", path.name.encode())
        os.setxattr(path, "security.selinux", f"system_u:object_r:{path.name[0]}_t:s0\0".encode())
    for path in (certs, certs / "docker.io"):
        os.setxattr(path, "system.posix_acl_access", _ACCESS)
        if inherited or path != certs:
            os.setxattr(path, "system.posix_acl_default", _ACCESS)
    # One file has an ACL, the others must not inherit one.
    os.setxattr(certs / "docker.io/hosts.toml", "system.posix_acl_access", _ACCESS)


@pytest.mark.parametrize("foreign", [False, True], ids=["alone", "beside a foreign folder"])
def test_folders_that_a_rollback_removed_come_back_with_their_attributes(
    nodes: Lab, fleet: Fleet, foreign: bool
) -> None:
    names = ("bookworm1", "forky1")
    both = [nodes.nodes[name] for name in names]
    words = ("-y", "-l", ":".join(names), "--soak", "0", "--batch", "2", "--json")
    if foreign:
        for node in both:
            node.sh("mkdir -p /etc/containerd/certs.d/quay.example")
    first = [listing(node) for node in both]

    done = fleet("rollout", *words, "--no-verify")
    for node in both:
        dressed(node, inherited=not foreign)
    changed = [listing(node) for node in both]
    back = fleet("rollback", *words)
    gone = [listing(node) for node in both]
    forth = fleet("rollback", *words, "--to", back.json["rollout"])
    again = [listing(node) for node in both]

    assert (done.code, back.code, forth.code) == (0, 0, 0), done.text + back.text + forth.text
    if not foreign:
        assert gone == first
    assert again == changed


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
    assert " is damaged: files/" in failure["message"]
    assert "is missing or was altered" in failure["message"]


CONFIG = "/etc/containerd/config.toml"
IN_THE_SWAP = {
    "bullseye1": ("directory", f"mkdir {CONFIG}; echo mine >{CONFIG}/note"),
    "bookworm1": ("fifo", f"mkfifo {CONFIG}"),
    "trixie1": ("character special file", f"mknod {CONFIG} c 1 5"),  # it has no end
    "forky1": ("symbolic link", f"ln -s /nowhere {CONFIG}"),
}


def test_an_odd_file_that_appears_in_the_swap_stays_in_its_place(nodes: Lab, fleet: Fleet) -> None:
    before = {name: rest(node, CONFIG) for name, node in nodes.nodes.items()}
    processes = {name: main_pid(nodes, name) for name in nodes.nodes}

    with ExitStack() as stack:
        for name, (_, action) in IN_THE_SWAP.items():
            node = nodes.nodes[name]
            stack.enter_context(acting(node, "mv", f"*{CONFIG}", f"rm {CONFIG}; {action}"))
        ran = fleet(*ALL)
        assert all(map(acted, nodes.nodes.values()))

    kinds = {name: node.sh(f"stat -c %F {CONFIG}").stdout for name, node in nodes.nodes.items()}
    left = {name: rest(node, CONFIG, f"{CONFIG}/note") for name, node in nodes.nodes.items()}
    note = nodes.nodes["bullseye1"].sh(f"cat {CONFIG}/note").stdout
    nodes.each(lambda node: node.sh(f"rm -rf {CONFIG}"))  # nothing may read one without an end

    assert ran.code == 3, ran.text
    for name, (kind, _) in IN_THE_SWAP.items():
        told = ran.json["nodes"][name]
        assert (told["status"], told["restarted"]) == ("stale", False), told
        assert f"{CONFIG} was edited during the swap" in told["failure"]["message"]
        assert kinds[name] == f"{kind}\n"
        assert main_pid(nodes, name) == processes[name]
    assert left == before
    assert note == "mine\n"
