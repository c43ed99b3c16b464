"""What a command costs before it does anything: only what it needs is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "asyncio", "concurrent.futures", "cryptography", "distributed", "fabric", "jinja2",
    "multiprocessing", "paramiko", "rich", "sqlite3", "tomlkit", "yaml",
)  # fmt: skip
_LOADED = """
import sys
from fleet.cli.app import fleet
try:
    fleet({words!r}, standalone_mode=False)
finally:
    print(*(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [["--help"], ["rollout", "--help"], ["--version"]],
    ids=["help", "help of a command", "version"],
)
def test_help_loads_nothing_that_it_does_not_need(words: list[str]) -> None:
    code = _LOADED.format(words=words, heavy=HEAVY)

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stderr.strip() == ""
