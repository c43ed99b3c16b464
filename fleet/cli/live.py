"""What a rollout shows while it runs: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from fleet.cli.options import Settings
from fleet.cli.views import MARKS, console, outcome_line
from fleet.core.outcome import NodeOutcome, NodeStatus

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ROWS = 12
_WORDS = {
    NodeStatus.STAGING: "staging",
    NodeStatus.RUNNING: "started",
    NodeStatus.CHECKING: "asked for health again",
    NodeStatus.REVERTING: "takes its change back",
}


class Screen(Protocol):
    """What is told of a rollout."""

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Tell that a batch begins; numbers count from 1."""
        ...

    def started(self, node: str, status: NodeStatus) -> None:
        """Tell that somebody begins to work on a node."""
        ...

    def ended(self, outcome: NodeOutcome) -> None:
        """Tell how a node's pass ended."""
        ...


class PlainScreen:
    """One line for every event, on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._batch = ""

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Tell that a batch begins."""
        self._batch = f"[batch {number}/{total}]"
        self._say(f"{self._batch} {len(nodes)} nodes")

    def started(self, node: str, status: NodeStatus) -> None:
        """Tell that somebody begins to work on a node; staging is told of once."""
        if status is not NodeStatus.STAGING:
            self._say(f"{self._batch} {node}: {_WORDS[status]}")
        elif not self._batch:
            self._batch = "[stage]"
            self._say("[stage] laying the changes ready, and letting each containerd judge its own")

    def ended(self, outcome: NodeOutcome) -> None:
        """Tell how the work on a node ended."""
        if outcome.status is not NodeStatus.STAGED:
            self._say(f"{self._batch} {outcome_line(outcome)}")

    def _say(self, line: str) -> None:
        if not self._quiet:
            click.echo(line, err=True)


class LiveScreen:
    """A view that stays in place: the nodes in flight, and how many are through."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._flying: dict[str, tuple[float, str]] = {}
        self._staged, self._done, self._failed = 0, 0, 0
        self._head = "staging"

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Tell that a batch begins."""
        self._head = f"batch {number}/{total}, {len(nodes)} nodes"

    def started(self, node: str, status: NodeStatus) -> None:
        """Tell that somebody begins to work on a node."""
        self._flying[node] = (time.monotonic(), _WORDS[status])

    def ended(self, outcome: NodeOutcome) -> None:
        """Tell how the work on a node ended; its line stays above the view."""
        self._flying.pop(outcome.node, None)
        if outcome.status is NodeStatus.STAGED:
            self._staged += 1
            return
        self._done += 1
        self._failed += outcome.status.failed
        mark, style = MARKS[outcome.status]
        self._out.print(f"{mark} {outcome_line(outcome)}", style=style)

    def __rich__(self) -> RenderableType:
        """Draw the view, never more than a few rows of it."""
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        now = time.monotonic()
        flying = sorted(self._flying.items(), key=lambda pair: pair[1])
        rows = [f"  > {node}  {word}  {now - at:.0f} s" for node, (at, word) in flying[:_ROWS]]
        if len(flying) > _ROWS:
            rows.append(f"  ... and {len(flying) - _ROWS} more in flight")
        head = f"{self._head}  {self._staged} staged, {self._done} done, {self._failed} failed"
        return Group(Text(head, style="bold", no_wrap=True, overflow="ellipsis"), *map(Text, rows))


@contextmanager
def open_screen(settings: Settings) -> Iterator[Screen]:
    """Open the view that fits: live on a terminal, plain elsewhere."""
    if settings.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield PlainScreen(quiet=settings.quiet)
        return
    from rich.live import Live  # noqa: PLC0415 - rich costs `--help` nothing

    out = console(color=settings.color, stderr=True)
    screen = LiveScreen(out)
    with Live(screen, console=out, refresh_per_second=4, transient=True):
        yield screen
