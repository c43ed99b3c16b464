"""The machine and the tree that figures are of."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.environment import versions
from benchmarks.work import ROOT


def commit() -> str:
    """Return the commit that is measured, with a mark if there is more than it."""
    words = ("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def caption() -> str:
    """Say in a line what the figures were taken on."""
    peers = ", ".join(f"{name} {version}" for name, version in versions().items())
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, {os.cpu_count()} cores"
        f" ({_processor()}), Linux {platform.release()}, Python {platform.python_version()},"
        f" {ssh.split(',')[0].strip()}; {peers}."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    found = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.machine())
