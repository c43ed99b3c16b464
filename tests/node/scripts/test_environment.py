"""lib/environment.sh: the programs that a script runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.scripts.shell_code import library

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to other users")
SOURCE = library("environment")
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
