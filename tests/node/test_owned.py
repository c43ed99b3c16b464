"""Folders that somebody else than root can change, as the scripts on a node tell them."""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import fleet.node

pytestmark = pytest.mark.root  # gives folders to other users
NO_ID = 0xFFFFFFFF
LIBRARY = Path(fleet.node.__path__[0]) / "scripts/lib"
SOURCE = "".join(
    (LIBRARY / f"{name}.sh").read_text()
    for name in ("environment", "text", "protocol", "ownership")
)
SAY = 'ways=; ends=; ownership_walk "$1"; if ownership_find_shared; then printf "%s" "$steered"; fi'
ACL = """python3 -c 'import os, struct, sys
rights = int(sys.argv[1])
entries = (1, 7, -1), (2, rights, 1234), (4, 5, -1), (16, rights, -1), (32, 5, -1)
packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
os.setxattr("a", "system.posix_acl_access", struct.pack("<I", 2) + packed)'"""
"""Gives user 1234 rights in folder `a`, as setfacl does."""
FOLDERS = {
    "root's own": ("mkdir a/b", "a/b", ""),
    "one that is not there yet": ("true", "a/b/c", ""),
    "a user's": ("mkdir a/b; chown 1234 a/b", "a/b", "a/b"),
    "one below a user's": ("mkdir -p a/b/c; chown 1234 a/b", "a/b/c", "a/b"),
    "one for everybody": ("chmod 777 a", "a", "a"),
    "a group's": ("chgrp 1234 a; chmod 775 a", "a", "a"),
    "root's group's": ("chmod 775 a", "a", ""),
    "one with an ACL": (f"{ACL} 7", "a", "a"),
    "one with an ACL that lets read": (f"{ACL} 5", "a", ""),
    "by way of a link in a sticky one": ("mkdir z; chmod 1777 a; ln -s ../z a/b", "a/b", "a"),
    "root's in a sticky one": ("chmod 1777 a; mkdir a/b", "a/b", ""),
    "a sticky one itself": ("chmod 1777 a", "a", "a"),
    "one that is not there in a sticky one": ("chmod 1777 a", "a/b", "a"),
    "a link to a user's": ("mkdir u; chown 1234 u; ln -s ../u a/b", "a/b", "u"),
    "a link by way of a user's": (
        "mkdir u z; ln -s ../z u/l; chown 1234 u; ln -s ../u/l a/b",
        "a/b",
        "u",
    ),
    "dots that lead out of a user's": ("mkdir u; chown 1234 u", "u/../a", "u"),
    "a link to itself": ("ln -s b a/b", "a/b", ""),
}


@pytest.mark.parametrize(("allowed", "found"), [(7, True), (5, False)])
def test_a_folder_whose_acl_lets_another_user_write_is_found(
    allowed: int, *, found: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    entries = (1, 7, NO_ID, 2, allowed, 1234, 4, 5, NO_ID, 16, allowed, NO_ID, 32, 5, NO_ID)
    os.setxattr(folder, "system.posix_acl_access", struct.pack("<I" + "HHI" * 5, 2, *entries))
    text = f"{SOURCE}{SAY}"

    words = ["dash", "-c", text, "dash", str(folder)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)

    assert (ran.stdout, ran.stderr) == (str(folder) if found else "", "")


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("make", "folder", "told"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_another_user_can_change_is_found(
    shell: str, make: str, folder: str, told: str, tmp_path: Path
) -> None:
    text = f"{SOURCE}{SAY}"
    subprocess.run(["sh", "-ec", f"mkdir a; {make}"], cwd=tmp_path, check=True)
    words = [shell, "-c", text, shell, str(tmp_path / folder)]

    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)

    assert (ran.stdout, ran.stderr) == (str(tmp_path / told) if told else "", "")


PATHS = {
    "root's own": ("mkdir a/b", "a/b", True),
    "a user's": ("chown 1234 a", "a", False),
    "one below a user's": ("mkdir a/b; chown 1234 a", "a/b", False),
    "one for everybody": ("chmod 777 a", "a", False),
    "a sticky one": ("chmod 1777 a", "a", False),
    "a group's": ("chgrp 1234 a; chmod 775 a", "a", False),
    "a link": ("mkdir z; ln -s ../z a/b", "a/b", False),
}


@pytest.fixture
def own_path() -> Iterator[Path]:
    """Return a folder that only root can change, from the top on; /tmp is everybody's."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        yield Path(folder)


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("make", "folder", "kept"), PATHS.values(), ids=PATHS)
def test_programs_come_only_from_folders_that_root_alone_can_change(
    shell: str, make: str, folder: str, kept: bool, own_path: Path
) -> None:
    subprocess.run(["sh", "-ec", f"mkdir a; {make}"], cwd=own_path, check=True)
    given = f"{own_path / folder}:/usr/bin:relative:"
    text = f"{SOURCE}printf '%s' \"$PATH|${{TMPDIR-}}\""

    ran = subprocess.run(
        [f"/bin/{shell}", "-c", text],
        env={"PATH": given, "TMPDIR": str(own_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )

    path, _, temporary = ran.stdout.partition("|")
    assert (str(own_path / folder) in path.split(":"), temporary, ran.stderr) == (kept, "", "")
    assert "/usr/bin" in path.split(":")
    assert "relative" not in path
