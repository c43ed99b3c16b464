"""The progress view of a rollout: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fleet.actions.user_interface import Progress, Scope
from fleet.cli.log_file import note
from fleet.cli.options import Settings
from fleet.cli.output.outcome import MARKS, outcome_line
from fleet.cli.output.tables import console
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.progress import step_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ROWS = 12
"""The most nodes in flight that the live view lists."""


_WORDS = {
    NodeStatus.STAGING: "staging",
    NodeStatus.RUNNING: "started",
    NodeStatus.CHECKING: "asked for health again",
    NodeStatus.REVERTING: "takes its change back",
}


class Screen(Progress):
    """A progress view on a terminal or in a log; Ctrl-C asks the rollout to stop."""

    _stopping: Callable[[], bool]

    @property
    def seen(self) -> Collection[str]:
        """Return the nodes whose outcome is on the terminal already; the recap groups them."""
        return ()

    def stopping(self) -> bool:
        """Return whether Ctrl-C was pressed."""
        return self._stopping()


def _never() -> bool:
    return False


class PlainScreen(Screen):
    """One line for every event, on stderr."""

    def __init__(self, stopping: Callable[[], bool] = _never, *, quiet: bool) -> None:
        self._stopping, self._quiet = stopping, quiet
        self._batch = ""

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Show that a batch begins."""
        self._batch = f"[batch {number}/{total}]"
        self._say(f"{self._batch} {len(nodes)} nodes")

    def started(self, node: str, status: NodeStatus) -> None:
        """Show that work on a node begins; staging is shown only once."""
        if status is not NodeStatus.STAGING:
            self._say(f"{self._batch} {node}: {_WORDS[status]}")
        elif not self._batch:
            self._batch = "[stage]"
            self._say("[stage] laying the changes ready, and letting each containerd judge its own")

    def ended(self, outcome: NodeOutcome) -> None:
        """Show how the work on a node ended."""
        if outcome.status is not NodeStatus.STAGED:
            self._say(f"{self._batch} {outcome_line(outcome)}")

    def line(self, text: str) -> None:
        """Print one line of text."""
        self._say(text)

    def _say(self, line: str) -> None:
        note(line)
        if not self._quiet:
            click.echo(line, err=True)


class LiveScreen(Screen):
    """A view that is redrawn in place: the nodes in flight, the number done, the time left."""

    def __init__(self, out: Console, scope: Scope, stopping: Callable[[], bool] = _never) -> None:
        self._out, self._scope, self._stopping = out, scope, stopping
        self._flying: dict[str, tuple[float, str]] = {}
        self._staged, self._done, self._failed = 0, 0, scope.failed
        self._head, self._left = "staging", 0
        self._begun = self._first = 0.0
        self._batches = 0
        self._ends: dict[str, NodeStatus] = {}

    @property
    def seen(self) -> Collection[str]:
        """Return the nodes whose outcome is printed above the view."""
        return self._ends

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Show that a batch begins."""
        self._begun = time.monotonic()
        self._first = self._first or self._begun
        self._batches += 1
        self._head, self._left = f"batch {number}/{total}", total - number
        note(f"{self._head}: {len(nodes)} nodes")

    def started(self, node: str, status: NodeStatus) -> None:
        """Show that work on a node begins."""
        step = "activating" if status is NodeStatus.RUNNING else _WORDS[status]
        self._flying[node] = (time.monotonic(), step)
        note(f"{node}: {_WORDS[status]}")

    def ended(self, outcome: NodeOutcome) -> None:
        """Show how the work on a node ended; its line stays above the view.

        A recheck that leaves the status of a node unchanged is neither shown nor counted.
        """
        self._flying.pop(outcome.node, None)
        if outcome.status is NodeStatus.STAGED:
            self._staged += 1
            return
        note(outcome_line(outcome))
        before = self._ends.get(outcome.node, NodeStatus.PENDING)
        self._ends[outcome.node] = outcome.status
        if before is outcome.status and before is not NodeStatus.PENDING:
            return
        self._done += (before is NodeStatus.PENDING) - (outcome.status is NodeStatus.PENDING)
        self._failed += outcome.status.failed - before.failed
        mark, style = MARKS[outcome.status]
        self._out.print(f"{mark} {outcome_line(outcome, brief=True)}", style=style)

    def line(self, text: str) -> None:
        """Print one line of text above the view."""
        note(text)
        self._out.print(text)

    def __rich__(self) -> RenderableType:
        """Return the view, with no more rows than the window has."""
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        now = time.monotonic()
        most = max(1, min(_ROWS, self._out.height - 4))
        flying = sorted(self._flying.items(), key=lambda pair: pair[1])
        rows = [
            f"  > {node}  {step_of(node) or step}  {now - at:.0f} s"
            for node, (at, step) in flying[:most]
        ]
        if len(flying) > most:
            rows.append(f"  ... and {len(flying) - most} more in flight")
        lines = [(self.status(now), "bold"), *((row, "cyan") for row in rows)]
        return Group(*(Text(row, style, no_wrap=True, overflow="ellipsis") for row, style in lines))

    def status(self, now: float) -> str:
        """Return the progress and the time left, in a line that fits 60 columns."""
        done = f"{self._done}/{self._scope.total}"
        if not self._batches:
            done = f"{self._staged}/{self._scope.total} staged"
        budget = f"fail {self._failed}/{self._scope.allowed}"
        return f"{self._head}  {done}  {budget}  eta {self._eta(now)}"

    def _eta(self, now: float) -> str:
        """Estimate the time left from the mean time of finished batches, whatever their size."""
        if self._batches < 2:
            return "-" if self._left or not self._batches else "soon"
        per_batch = (self._begun - self._first) / (self._batches - 1)
        seconds = max(0.0, per_batch - (now - self._begun)) + self._left * per_batch
        return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


@contextmanager
def open_screen(settings: Settings, scope: Scope, stopping: Callable[[], bool]) -> Iterator[Screen]:
    """Open a progress view: live on a terminal, plain elsewhere and with --quiet."""
    if settings.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield PlainScreen(stopping, quiet=settings.quiet)
        return
    from rich.live import Live  # noqa: PLC0415 - a late import keeps `--help` fast

    out = console(color=settings.color, stderr=True)
    screen = LiveScreen(out, scope, stopping)
    with Live(screen, console=out, refresh_per_second=4, transient=True):
        yield screen
