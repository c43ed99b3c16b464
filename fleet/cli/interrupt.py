"""Handling of Ctrl-C in a rollout: once stops after the batch, twice stops at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

import click

from fleet.cli.options import Exit
from fleet.errors import JournalError

STOPPING = "Stopping after the current batch.", "Press Ctrl-C again to stop immediately."


@dataclass(slots=True)
class StopSwitch:
    """The state of Ctrl-C, and what is shown when it is pressed."""

    pressed: bool = False
    first: Callable[[], Sequence[str]] = lambda: STOPPING
    """Returns the lines to print at the first Ctrl-C."""
    second: Callable[[], str] = lambda: "Stopped."
    """Returns the last words before the process ends."""


@contextmanager
def stop_switch(leave: Callable[[], None]) -> Iterator[StopSwitch]:
    """Catch Ctrl-C: the first one stops the rollout after its batch, a second one at once.

    `leave` journals the stop in mid-batch. Nodes in flight end their scripts by themselves, and
    their guards revert unconfirmed changes.
    """
    switch = StopSwitch()

    def press(number: int, frame: FrameType | None) -> None:
        del number, frame
        if switch.pressed:
            with suppress(JournalError):
                leave()
            _announce(switch.second())
            os._exit(Exit.INTERRUPTED)  # a normal exit would wait for the threads of nodes
        switch.pressed = True
        if lines := switch.first():
            _announce("\n".join(lines))

    before = signal.signal(signal.SIGINT, press)
    try:
        yield switch
    finally:
        signal.signal(signal.SIGINT, before)


def _announce(text: str) -> None:
    """Print text on stderr from a signal handler.

    The handler may run in the middle of a write to the same stream, which then raises an error.
    """
    try:
        click.echo(text, err=True)
    except RuntimeError:
        with suppress(OSError):
            os.write(2, f"{text}\n".encode())
