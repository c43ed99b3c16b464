"""Folders that somebody else than root can change, as the scripts on a node tell them."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

import fleet.node

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other users")
NO_ID = 0xFFFFFFFF
PARTS = Path(fleet.node.__path__[0]) / "scripts"
SAY = 'ways=; ends=; walk "$1"; if steered; then printf "%s" "$steered"; fi'
FOLDERS = {
    "root's own": ("mkdir a/b", "a/b", ""),
    "one that is not there yet": ("true", "a/b/c", ""),
    "a user's": ("mkdir a/b; chown 1234 a/b", "a/b", "a/b"),
    "one below a user's": ("mkdir -p a/b/c; chown 1234 a/b", "a/b/c", "a/b"),
    "one for everybody": ("chmod 777 a", "a", "a"),
    "a group's": ("chgrp 1234 a; chmod 775 a", "a", "a"),
    "root's group's": ("chmod 775 a", "a", ""),
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
    text = f"{(PARTS / 'common.sh').read_text()}{(PARTS / 'owned.sh').read_text()}{SAY}"

    words = ["dash", "-c", text, "dash", str(folder)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)

    assert (ran.stdout, ran.stderr) == (str(folder) if found else "", "")


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("make", "folder", "told"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_another_user_can_change_is_found(
    shell: str, make: str, folder: str, told: str, tmp_path: Path
) -> None:
    text = f"{(PARTS / 'common.sh').read_text()}{(PARTS / 'owned.sh').read_text()}{SAY}"
    subprocess.run(["sh", "-ec", f"mkdir a; {make}"], cwd=tmp_path, check=True)
    words = [shell, "-c", text, shell, str(tmp_path / folder)]

    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)

    assert (ran.stdout, ran.stderr) == (str(tmp_path / told) if told else "", "")
