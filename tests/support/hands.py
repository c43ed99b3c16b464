"""Edits by hand on a node, at a moment that a wrapper of one of its commands chooses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.node import LabNode

WRAPPERS = "/usr/sbin"
# Every PATH that a script of fleet has names /usr/sbin before /usr/bin. It acts once.
_WRAPPER = """#!/bin/sh
case "$*" in {pattern})
    if {when} && mkdir /run/lab-acted 2>/dev/null; then
        {action}
    fi ;;
esac
real=/usr/bin/{command}
[ -x "$real" ] || real=/bin/{command}
exec "$real" "$@"
"""
KILL_GUARD = (
    "kill -9 $(grep -l pending/guard.sh /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3) 2>/dev/null"
)
"""A shell action that kills the guard at once, with the shells that it has started."""


@contextmanager
def acting(
    node: LabNode, command: str, pattern: str, action: str, when: str = "true"
) -> Iterator[None]:
    """Run a shell action on the node just before a command whose words match the pattern."""
    text = _WRAPPER.format(command=command, pattern=pattern, action=action, when=when)
    path = f"{WRAPPERS}/{command}"
    node.sh(f"rm -rf /run/lab-acted; cat >{path} <<'END'\n{text}END\nchmod 755 {path}")
    try:
        yield
    finally:
        node.sh(f"rm -f {path}; rm -rf /run/lab-acted")


def acted(node: LabNode) -> bool:
    """Return whether the action has run; a test must check it, as it proves nothing otherwise."""
    return node.sh("test -d /run/lab-acted", check=False).returncode == 0
