"""The node-side scripts as they are sent: put together, quoted, clean under shellcheck."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleet.node.shell import PARTS, Script

# Capitals come from outside, small names are the fields of a line: no misspelling. Parts are
# shared, so not every script uses every place and function of theirs.
EXCLUDED = "SC2153,SC2034,SC2329,SC2317"


@pytest.mark.parametrize("name", PARTS)
def test_scripts_are_clean_under_shellcheck(name: str) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    text = Script(name, {}).text()

    ran = subprocess.run(
        [shellcheck, "-s", "sh", "-e", EXCLUDED, "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == ""
    assert ran.returncode == 0


@pytest.mark.parametrize("name", PARTS)
def test_scripts_are_small_enough_for_one_round_trip(name: str) -> None:
    """The receive window of a new channel is 64 KiB or more: below it nothing waits."""
    assert len(Script(name, {}).text()) < 32_000
