"""The step that each node in flight has reached, as its scripts report it."""

from __future__ import annotations

import time
from collections.abc import Callable

from fleet.core.failure import Step

_MARK = b"step\t="


_LONGEST = 64
"""Bytes of an unfinished line that are kept; the line of a step is shorter."""


_steps: dict[str, tuple[Step, float]] = {}


def enter(node: str, step: Step) -> None:
    """Record the step that a node has reached, and when."""
    _steps[node] = step, time.monotonic()


def leave(node: str) -> None:
    """Remove a node whose work has ended."""
    _steps.pop(node, None)


def step_of(node: str) -> Step | None:
    """Return the step that a node has reached; None if none was recorded."""
    entered = _steps.get(node)
    return entered[0] if entered else None


def step_began(node: str) -> float:
    """Return when a node reached its step, by the monotonic clock; 0 if no step was recorded."""
    entered = _steps.get(node)
    return entered[1] if entered else 0.0


def progress_listener(node: str) -> Callable[[bytes], None]:
    """Return a listener that reads steps from a script's output, which arrives in any pieces."""
    rest = b""

    def listen(chunk: bytes) -> None:
        nonlocal rest
        *lines, last = (rest + chunk).split(b"\n")
        rest = last[-_LONGEST:]
        for line in lines:
            step = _parse_step(line)
            if step is not None:
                enter(node, step)

    return listen


def _parse_step(line: bytes) -> Step | None:
    """Return the step that a line reports; None if it reports none that is known here."""
    if not line.startswith(_MARK):
        return None
    try:
        step = Step(line[len(_MARK) :].split(b" ")[0].decode("ascii", "replace"))
    except ValueError:
        return None
    return step if step.reported else None
