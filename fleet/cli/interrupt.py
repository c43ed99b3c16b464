"""Handling of Ctrl-C in a rollout: once stops after the batch, twice stops at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import click

from fleet.cli.options import Exit
from fleet.errors import JournalError


@contextmanager
def stop_switch(leave: Callable[[], None], rollout: str) -> Iterator[Callable[[], bool]]:
    """Catch Ctrl-C: the first one stops the rollout after its batch, a second one at once.

    The yielded function returns whether Ctrl-C was pressed. Nodes in flight end their scripts by
    themselves, and their guards revert unconfirmed changes.
    """
    pressed: list[int] = []

    def press(number: int, frame: FrameType | None) -> None:
        del frame
        if pressed:
            with suppress(JournalError):
                leave()
            _announce(
                "stopped; nodes in flight revert unconfirmed changes by themselves (--guard);"
                f" continue with `fleet resume {rollout}`"
            )
            os._exit(Exit.INTERRUPTED)  # a normal exit would wait for the threads of nodes
        pressed.append(number)
        _announce("stopping after this batch; once more stops at once")

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def _announce(text: str) -> None:
    """Print a line on stderr from a signal handler.

    The handler may run in the middle of a write to the same stream, which then raises an error.
    """
    try:
        click.echo(text, err=True)
    except RuntimeError:
        with suppress(OSError):
            os.write(2, f"{text}\n".encode())
