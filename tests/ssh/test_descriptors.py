"""Connections by the limit of file descriptors, which belongs to a process of its own here."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CODE = """\
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from fleet.ssh import descriptors
before = descriptors.max_busy_nodes(), descriptors.max_pooled()
descriptors.raise_limit()
print(*before, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
LIMITS = {
    "a usual machine": (1024, 4096, 124, 128, 4096),
    "a large limit": (4096, 4096, 508, 128, 4096),
    "a small one": (256, 1024, 28, 37, 1024),
    "hardly any": (40, 40, 1, 1, 40),
    "fewer than the others need": (30, 30, 1, 0, 30),
}


@pytest.mark.parametrize(("soft", "hard", "busy", "kept", "raised"), LIMITS.values(), ids=LIMITS)
def test_half_of_the_descriptors_are_for_busy_nodes_and_half_for_idle_ones(
    soft: int, hard: int, busy: int, kept: int, raised: int
) -> None:
    code = _CODE.format(soft=soft, hard=hard)

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert [int(word) for word in ran.stdout.split()] == [busy, kept, raised, hard]
