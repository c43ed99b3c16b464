"""Samples of what fleet 0.2.0 wrote before a failure had a remedy of its own.

A journal of five rollouts, and the state of two nodes whose last change was interrupted: its fleet
was killed after the swap. The trees hold /var/lib/fleet, /etc/containerd and the guard's unit.
"""

from __future__ import annotations

from pathlib import Path

RELEASE_BEFORE = Path(__file__).parent / "release_before"
INTERRUPTED = "20261127-184426-a59d"
FIRST = "20261127-184224-501f"
FAILED = "20261127-184232-bc50"
"""Ids of rollouts: the last one, which was interrupted, the first one, and one that failed."""
