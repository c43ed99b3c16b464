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
from fleet.cli.output import progress_text as texts
from fleet.cli.output.outcome import MARKS, outcome_line
from fleet.cli.output.tables import console
from fleet.core.failure import Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.text.counts import counted
from fleet.node.progress import step_began, step_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ROWS = 12
"""The most nodes in flight that the live view lists."""


_WORDS = {
    NodeStatus.STAGING: "staging",
    NodeStatus.RUNNING: "started",
    NodeStatus.CHECKING: "checking health again",
    NodeStatus.REVERTING: "reverting",
}


class Screen(Progress):
    """A progress view on a terminal or in a log; Ctrl-C asks the rollout to stop."""

    terminal_reset = ""
    """Restores the terminal if the process ends while the view is shown."""

    def __init__(self, scope: Scope, stopping: Callable[[], bool] | None = None) -> None:
        self._scope, self._stopping = scope, stopping or _never
        self._flying: dict[str, tuple[float, NodeStatus]] = {}
        self._ends: dict[str, NodeStatus] = {}
        self._failed = scope.failed
        self._changes_began = False

    @property
    def seen(self) -> Collection[str]:
        """Return the nodes whose outcome is on the terminal already; the recap groups them."""
        return ()

    def stopping(self) -> bool:
        """Return whether Ctrl-C was pressed."""
        return self._stopping()

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Take the start of a batch."""
        del number, total, nodes
        self._changes_began = True

    def pausing(self, nodes: tuple[str, ...]) -> None:
        """Take the start of the pause after a batch."""
        del nodes
        self._changes_began = True

    def started(self, node: str, status: NodeStatus) -> None:
        """Take the start of work on a node."""
        self._flying[node] = (time.monotonic(), status)

    def ended(self, outcome: NodeOutcome) -> None:
        """Take the end of work on a node."""
        self._flying.pop(outcome.node, None)
        if outcome.status is not NodeStatus.STAGED:
            before = self._ends.get(outcome.node, NodeStatus.PENDING)
            self._failed += outcome.status.failed - before.failed
            self._ends[outcome.node] = outcome.status

    def gate(self, batch: int, when: GateTime, decision: GateDecision) -> None:
        """Show what a gate of the cluster has decided; a node that it flags has failed."""
        self._failed += len(decision.flagged) - len(decision.excused)
        for text in texts.gate_lines(batch, when, decision):
            self.line(text)

    def show_stop(self) -> tuple[str, ...]:
        """Return the lines to print at the first Ctrl-C; a live view shows them by itself."""
        return self.stop_lines()

    def stop_lines(self) -> tuple[str, ...]:
        """Return what the first Ctrl-C did, and what a second one would do."""
        return texts.stop_lines(self._scope, self._changing(), changing=self._changes_began)

    def last_words(self) -> str:
        """Return what the second Ctrl-C leaves on the nodes."""
        return texts.stopped(self._scope, self._changing())

    def budget(self) -> str:
        """Return how many nodes have failed, and how many may."""
        return texts.budget(self._failed, self._scope.allowed)

    def _changing(self) -> int:
        return sum(status is not NodeStatus.STAGING for _, status in list(self._flying.values()))


def _never() -> bool:
    return False


def _is_release(outcome: NodeOutcome) -> bool:
    """Return whether a node was only released, because the rollout ends before its batch."""
    return outcome.status is NodeStatus.PENDING and outcome.failure is None


class PlainScreen(Screen):
    """One line for every event, on stderr."""

    def __init__(
        self, scope: Scope, stopping: Callable[[], bool] | None = None, *, quiet: bool
    ) -> None:
        super().__init__(scope, stopping)
        self._quiet = quiet
        self._head = ""

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Show that a batch begins, with the budget and the time left."""
        soak = f"soak: {self._scope.soak:.0f} s after a restart" if not self._changes_began else ""
        super().batch(number, total, nodes)
        self._head = f"[batch {number}/{total}]"
        left = texts.time_left(self._scope.time_left())
        facts = [counted(len(nodes), "node"), self.budget(), soak, left]
        self._say(f"{self._head} {'; '.join(filter(None, facts))}")

    def started(self, node: str, status: NodeStatus) -> None:
        """Show that work on a node begins; staging is shown only once."""
        super().started(node, status)
        if status is not NodeStatus.STAGING:
            self._say(f"{self._head} {node}: {_WORDS[status]}")
        elif not self._head:
            self._head = "[stage]"
            work = "uploading the new files and validating them with each node's containerd"
            self._say(f"[stage] {work}")

    def ended(self, outcome: NodeOutcome) -> None:
        """Show how the work on a node ended."""
        super().ended(outcome)
        if outcome.status is not NodeStatus.STAGED and not _is_release(outcome):
            self._say(f"{self._head} {outcome_line(outcome)}")

    def pausing(self, nodes: tuple[str, ...]) -> None:
        """Show that the pause after a batch begins."""
        super().pausing(nodes)
        again = f"then checking {counted(len(nodes), 'node')} again"
        facts = [f"pause of {self._scope.pause:.0f} s, {again}", self.budget()]
        facts.append(texts.time_left(self._scope.time_left()))
        self._say(f"{self._head} {'; '.join(filter(None, facts))}")

    def line(self, text: str) -> None:
        """Print one line of text."""
        self._say(text)

    def _say(self, line: str) -> None:
        note(line)
        if not self._quiet:
            click.echo(line, err=True)


class LiveScreen(Screen):
    """A view that is redrawn in place: the nodes in flight, the number done, the time left."""

    terminal_reset = "\x1b[?25h\n"

    def __init__(
        self, out: Console, scope: Scope, stopping: Callable[[], bool] | None = None
    ) -> None:
        super().__init__(scope, stopping)
        self._out = out
        self._staged, self._done = 0, scope.done
        self._head = "staging"
        self._pause: tuple[float, int] | None = None

    @property
    def seen(self) -> Collection[str]:
        """Return the nodes whose outcome is printed above the view."""
        return self._ends

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Show that a batch begins."""
        super().batch(number, total, nodes)
        self._head, self._pause = f"batch {number}/{total}", None
        note(f"{self._head}: {counted(len(nodes), 'node')}")

    def started(self, node: str, status: NodeStatus) -> None:
        """Show that work on a node begins."""
        super().started(node, status)
        self._pause = None
        note(f"{node}: {_WORDS[status]}")

    def pausing(self, nodes: tuple[str, ...]) -> None:
        """Show the countdown of the pause after a batch."""
        super().pausing(nodes)
        self._head = "resumed" if self._head == "staging" else self._head
        self._pause = time.monotonic() + self._scope.pause, len(nodes)
        note(f"{self._head}: pause of {self._scope.pause:.0f} s")

    def ended(self, outcome: NodeOutcome) -> None:
        """Show how the work on a node ended; its line stays above the view.

        A recheck that leaves the status of a node unchanged is neither shown nor counted.
        """
        before = self._ends.get(outcome.node, NodeStatus.PENDING)
        super().ended(outcome)
        if outcome.status is NodeStatus.STAGED:
            self._staged += 1
            return
        note(outcome_line(outcome))
        if before is outcome.status and before is not NodeStatus.PENDING:
            return
        self._done += (before is NodeStatus.PENDING) - (outcome.status is NodeStatus.PENDING)
        if _is_release(outcome):
            return
        mark, style = MARKS[outcome.status]
        self._out.print(f"{mark} {outcome_line(outcome, brief=True)}", style=style)

    def line(self, text: str) -> None:
        """Print one line of text above the view."""
        note(text)
        self._out.print(text)

    def show_stop(self) -> tuple[str, ...]:
        """Return nothing: the view shows what Ctrl-C did for as long as it is open."""
        return ()

    def __rich__(self) -> RenderableType:
        """Return the view, with no more rows than the window has."""
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        now = time.monotonic()
        head = [(self.status(), "bold"), (self.budget(), "red" if self._failed else "dim")]
        if self._pause is not None:
            head.append((self._pause_line(now), "cyan"))
        foot = [(line, "bold yellow") for line in self.stop_lines()] if self.stopping() else []
        rows = [(row, "cyan") for row in self._rows(now, len(head) + len(foot))]
        lines = [*head, *rows, *foot]
        return Group(*(Text(row, style, no_wrap=True, overflow="ellipsis") for row, style in lines))

    def _rows(self, now: float, others: int) -> list[str]:
        """Return the nodes in flight, the oldest first, as far as the window has room for them."""
        most = max(1, min(_ROWS, self._out.height - others - 2))
        flying = sorted(self._flying.items(), key=lambda pair: pair[1][0])
        rows = [self._row(node, at, status, now) for node, (at, status) in flying[:most]]
        if len(flying) > most:
            rows.append(f"  ... and {len(flying) - most} more in flight")
        return rows

    def _row(self, node: str, at: float, status: NodeStatus, now: float) -> str:
        step = step_of(node)
        if step is None:
            text = "activating" if status is NodeStatus.RUNNING else _WORDS[status]
        else:
            text = texts.STEPS.get(step, str(step))
        if step is Step.SOAK and self._scope.soak:
            left = texts.countdown(step_began(node) + self._scope.soak, now)
            return f"  > {node}  {text}, {left} left"
        return f"  > {node}  {text}  {now - at:.0f} s"

    def _pause_line(self, now: float) -> str:
        until, nodes = self._pause or (now, 0)
        again = counted(nodes, "node")
        return f"pause: {texts.countdown(until, now)} left, then checking {again} again"

    def status(self) -> str:
        """Return the progress and the time left, in a line that fits 60 columns."""
        done = f"{self._done} of {counted(self._scope.total, 'node')} done"
        if not self._changes_began:
            left = self._scope.total - self._scope.done
            done = f"{self._staged} of {counted(left, 'node')} staged"
        time_left = texts.time_left(self._scope.time_left())
        return "  ".join(filter(None, (self._head, done, time_left)))


@contextmanager
def open_screen(settings: Settings, scope: Scope, stopping: Callable[[], bool]) -> Iterator[Screen]:
    """Open a progress view: live on a terminal, plain elsewhere and with --quiet."""
    if settings.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield PlainScreen(scope, stopping, quiet=settings.quiet)
        return
    from rich.live import Live  # noqa: PLC0415 - a late import keeps `--help` fast

    out = console(color=settings.color, stderr=True)
    screen = LiveScreen(out, scope, stopping)
    with Live(screen, console=out, refresh_per_second=4, transient=True):
        yield screen
