"""The step that each node in flight has reached, as its scripts report it."""

from __future__ import annotations

from collections.abc import Callable

_KNOWN = {
    *("upload", "check", "unpack", "validate"),
    *("keep", "arm", "stage", "swap", "restart", "health", "swapped", "revert", "reverted"),
}


_MARK = b"step\t="


_LONGEST = 64
"""Bytes of a line that may lead up to a step; of what else a node says nothing is kept."""


_now: dict[str, str] = {}


def enter(node: str, step: str) -> None:
    """Note where a node is."""
    _now[node] = step


def leave(node: str) -> None:
    """Forget a node whose work has ended."""
    _now.pop(node, None)


def step_of(node: str) -> str | None:
    """Return where a node is; None where nobody has told."""
    return _now.get(node)


def progress_listener(node: str) -> Callable[[bytes], None]:
    """Return what reads the steps off a script's output, in whatever pieces that arrives."""
    rest = b""

    def heard(part: bytes) -> None:
        nonlocal rest
        *lines, last = (rest + part).split(b"\n")
        rest = last[-_LONGEST:]
        for line in lines:
            step = line[len(_MARK) :].split(b" ")[0].decode("ascii", "replace")
            if line.startswith(_MARK) and step in _KNOWN:
                enter(node, step)

    return heard
