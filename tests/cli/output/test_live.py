"""The progress of a rollout: a line for each event, or a view that stays in place."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from fleet.actions.user_interface import Scope
from fleet.cli.output.live import LiveScreen, PlainScreen, open_screen
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from tests.support.settings import TEXT, settings_of

WELL = NodeOutcome(node="w1", status=NodeStatus.CONVERGED)


def play(screen: PlainScreen) -> None:
    """Show a small rollout."""
    screen.started("w1", NodeStatus.STAGING)
    screen.started("w2", NodeStatus.STAGING)
    screen.ended(NodeOutcome(node="w1", status=NodeStatus.STAGED))
    screen.batch(1, 2, ("w1", "w2"))
    screen.started("w1", NodeStatus.RUNNING)
    screen.ended(WELL)
    screen.line("pausing")


def test_every_event_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    play(PlainScreen(quiet=False))

    written = capsys.readouterr()
    staging, *lines = written.err.splitlines()
    assert staging.startswith("[stage] ")
    assert lines == [
        "[batch 1/2] 2 nodes",
        "[batch 1/2] w1: started",
        "[batch 1/2] w1: converged",
        "pausing",
    ]
    assert written.out == ""


def test_a_quiet_screen_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    play(PlainScreen(quiet=True))

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("pressed", [False, True])
def test_a_screen_knows_whether_the_rollout_is_to_stop(*, pressed: bool) -> None:
    out = Console(file=io.StringIO())

    assert PlainScreen(lambda: pressed, quiet=True).stopping() is pressed
    assert LiveScreen(out, Scope(total=1, allowed=0), lambda: pressed).stopping() is pressed


def live(total: int = 4, **scope: int) -> tuple[LiveScreen, io.StringIO]:
    file = io.StringIO()
    out = Console(file=file, width=100, height=30, color_system=None)
    return LiveScreen(out, Scope(total=total, allowed=scope.get("allowed", 1))), file


def test_the_view_keeps_the_ends_that_it_has_printed() -> None:
    screen, file = live()
    screen.batch(1, 1, ("w1",))
    screen.started("w1", NodeStatus.RUNNING)
    screen.ended(WELL)

    assert list(screen.seen) == ["w1"]
    assert file.getvalue() == "~ w1: converged\n"


def test_staged_nodes_are_counted_and_not_printed() -> None:
    screen, file = live()
    for name in ("w1", "w2"):
        screen.started(name, NodeStatus.STAGING)
        screen.ended(NodeOutcome(node=name, status=NodeStatus.STAGED))

    assert screen.status(0).startswith("staging  2/4 staged")
    assert file.getvalue() == ""


def test_a_node_that_is_back_to_pending_is_not_done() -> None:
    screen, _ = live()
    screen.batch(1, 1, ("w1",))
    screen.ended(NodeOutcome(node="w1", status=NodeStatus.FAILED))
    before = screen.status(0)
    screen.ended(NodeOutcome(node="w1", status=NodeStatus.PENDING))

    assert before.startswith("batch 1/1  1/4  fail 1/1")
    assert screen.status(0).startswith("batch 1/1  0/4  fail 0/1")


def test_a_line_stands_above_the_view() -> None:
    screen, file = live()

    screen.line("pausing")

    assert file.getvalue() == "pausing\n"


@pytest.mark.parametrize("settings", [TEXT, settings_of(quiet=True)])
def test_without_a_terminal_lines_are_printed(
    monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    scope = Scope(total=1, allowed=0)

    with open_screen(settings, scope, lambda: False) as screen:  # type: ignore[arg-type]
        assert isinstance(screen, PlainScreen)


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "quiet", "view"),
    [("xterm", False, True), ("dumb", False, False), ("xterm", True, False)],
)
def test_a_terminal_that_can_move_its_cursor_has_the_view(
    monkeypatch: pytest.MonkeyPatch, term: str, *, quiet: bool, view: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", term)
    scope = Scope(total=1, allowed=0)

    with open_screen(settings_of(quiet=quiet), scope, lambda: False) as screen:
        assert isinstance(screen, LiveScreen) is view
