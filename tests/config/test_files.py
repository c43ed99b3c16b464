"""Files of the workstation that are not plain ones: an error each, and never a wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.config.files import read_text
from fleet.errors import ConfigErrors


@pytest.mark.parametrize("kind", ["fifo", "folder", "dangling", "device", "large"])
def test_what_is_no_plain_file_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mirrors.yaml"
    make = {
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "dangling": lambda: path.symlink_to("nowhere"),
        "device": lambda: path.symlink_to("/dev/zero"),
        "large": lambda: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), (64 << 20) + 1),
    }
    make[kind]()

    expected = "not found; create it" if kind == "dangling" else "cannot be read"
    with pytest.raises(ConfigErrors, match=expected):
        read_text(path, "-i")


def test_what_a_shell_hands_over_is_read() -> None:
    code = "from pathlib import Path; from fleet.config.files import read_text as r"
    words = [sys.executable, "-c", f"{code}; print(r(Path('/dev/stdin'), '-i'))"]

    done = subprocess.run(words, input="a: 1", capture_output=True, text=True, check=True)

    assert done.stdout == "a: 1\n"
