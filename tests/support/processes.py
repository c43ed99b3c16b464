"""A limit on the processes of a node's sshd and of all that it starts, by a cgroup."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.node import LabNode

_OLD = Path("/sys/fs/cgroup/pids")
"""The controller of a machine with cgroups of version 1; nodes see none of it."""


@contextmanager
def limited_sshd(node: LabNode) -> Iterator[Callable[[int], None]]:
    """Yield a function that sets how many processes and threads sshd may have with its own."""
    if not _OLD.is_dir():
        limit = "systemctl set-property --runtime ssh.service TasksMax="
        yield lambda most: node.sh(f"{limit}{most}") and None
        node.sh(f"{limit}infinity")
        return
    group = _OLD / f"lab-{node.name}-{os.getpid()}"
    listener = _listener(node)
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(listener))
        yield lambda most: (group / "pids.max").write_text(str(most)) and None
    finally:
        (group / "pids.max").write_text("max")
        while members := (group / "cgroup.procs").read_text().split():
            for pid in members:
                (_OLD / "cgroup.procs").write_text(pid)
        group.rmdir()


def _listener(node: LabNode) -> int:
    """Return the process of a node's sshd, as this machine counts processes."""
    inside = node.sh("systemctl show ssh -p MainPID --value").stdout.strip()
    space = Path(f"/proc/{node.pid()}/ns/pid").readlink()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if (status.parent / "ns/pid").readlink() != space:
                continue
            lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):  # it has ended meanwhile
            continue
        if lines["NSpid"].split()[-1] == inside:
            return int(status.parent.name)
    raise AssertionError(f"{node.name}: no sshd")
