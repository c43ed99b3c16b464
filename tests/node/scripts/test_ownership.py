"""lib/ownership.sh: folders that users other than root can change."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from tests.node.scripts.shell_code import library

pytestmark = pytest.mark.root  # gives folders to other users
NO_ID = 0xFFFFFFFF
SOURCE = library("ownership")
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


PLANTED = {
    "nothing of others": ("mkdir -p s/pending s/generations/r1 r; touch s/pending/id r/lock", ""),
    "a folder": ("mkdir s/pending; chown 1234 s/pending", "s/pending"),
    "a script": ("mkdir s/pending; touch s/pending/guard.sh; chown 1234 s/*/guard.sh", "guard.sh"),
    "a generation": ("mkdir -p s/generations/r1; chown 1234 s/generations/r1", "generations/r1"),
    "a file for everybody": ("touch s/state.json; chmod 666 s/state.json", "s/state.json"),
    "a link": ("ln -s /etc/passwd r/mutex; chown -h 1234 r/mutex", "r/mutex"),
    "a link that leads nowhere": ("ln -s x r/lock; chown -h 1234 r/lock", "r/lock"),
    "root's link": ("mkdir g; ln -s ../g s/generations", ""),
    "root's link to a user's folder": ("mkdir g; chown 1234 g; ln -s ../g s/generations", "g"),
}


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("make", "told"), PLANTED.values(), ids=PLANTED)
def test_what_another_user_has_left_in_fleets_own_folders_is_found(
    shell: str, make: str, told: str, tmp_path: Path
) -> None:
    """The folders may have been that user's before they became root's."""
    subprocess.run(["sh", "-ec", f"mkdir -m 700 s r; {make}"], cwd=tmp_path, check=True)
    own = SOURCE.replace("/var/lib/fleet", f"{tmp_path}/s").replace("/run/fleet", f"{tmp_path}/r")
    check = "ownership_end() { printf '%s' \"$1\"; exit; }\nownership_check"

    words = [shell, "-c", f"{own}{check}", shell]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)

    assert (ran.stdout.endswith(told), bool(ran.stdout), ran.stderr) == (True, bool(told), "")
