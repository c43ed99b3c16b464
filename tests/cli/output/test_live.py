"""The progress of a rollout: a line for each event, or a view that stays in place."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from fleet.actions.user_interface import Scope
from fleet.cli.output import progress_text
from fleet.cli.output.live import LiveScreen, PlainScreen, open_screen
from fleet.core.failure import Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.node.progress import enter, leave
from tests.support.build import failure
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
    screen.pausing(("w1", "w2"))
    screen.batch(2, 2, ("w3",))
    screen.started("w3", NodeStatus.RUNNING)
    screen.ended(NodeOutcome(node="w3", status=NodeStatus.FAILED))
    screen.ended(NodeOutcome(node="w4", status=NodeStatus.PENDING))
    screen.pausing(("w3",))


def test_every_event_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    play(
        PlainScreen(Scope(total=2, allowed=1, soak=6, pause=4, time_left=lambda: 150), quiet=False)
    )

    written = capsys.readouterr()
    staging, *lines = written.err.splitlines()
    assert staging.startswith("[stage] ")
    assert lines == [
        "[batch 1/2] 2 nodes; failures: 0 of 1 allowed; soak: 6 s after a restart;"
        " about 2 min 30 s left",
        "[batch 1/2] w1: started",
        "[batch 1/2] w1: converged",
        "pausing",
        "[batch 1/2] pause of 4 s, then checking 2 nodes again; failures: 0 of 1 allowed;"
        " about 2 min 30 s left",
        "[batch 2/2] 1 node; failures: 0 of 1 allowed; about 2 min 30 s left",
        "[batch 2/2] w3: started",
        "[batch 2/2] w3: failed",
        "[batch 2/2] pause of 4 s, then checking 1 node again; failures: 1 of 1 allowed;"
        " about 2 min 30 s left",
    ]
    assert written.out == ""


def test_a_quiet_screen_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    play(PlainScreen(Scope(total=2, allowed=0), quiet=True))

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("pressed", [False, True])
def test_a_screen_knows_whether_the_rollout_is_to_stop(*, pressed: bool) -> None:
    out = Console(file=io.StringIO())

    assert PlainScreen(Scope(total=1, allowed=0), lambda: pressed, quiet=True).stopping() is pressed
    assert LiveScreen(out, Scope(total=1, allowed=0), lambda: pressed).stopping() is pressed


def live(total: int = 4, **scope: int) -> tuple[LiveScreen, io.StringIO]:
    file = io.StringIO()
    out = Console(file=file, width=100, height=30, color_system=None)
    return LiveScreen(out, Scope(total=total, allowed=scope.get("allowed", 1))), file


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time that the view reads, in a list of one."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def shown(screen: LiveScreen, width: int = 60) -> list[str]:
    """Return the lines of the view."""
    out = Console(file=io.StringIO(), width=width, height=24, color_system=None)
    with out.capture() as capture:
        out.print(screen)
    return capture.get().splitlines()


def test_soak_and_pause_count_down(clock: list[float]) -> None:
    scope = Scope(total=3, allowed=2, soak=6, pause=20, time_left=lambda: 41.4)
    screen = LiveScreen(Console(file=io.StringIO()), scope)
    screen.batch(1, 2, ("w1",))
    screen.started("w1", NodeStatus.RUNNING)
    enter("w1", Step.SOAK)
    clock[0] += 4
    soaking = shown(screen)
    leave("w1")
    screen.ended(WELL)
    screen.pausing(("w1",))
    clock[0] += 5.2
    pausing = shown(screen)
    screen.started("w1", NodeStatus.CHECKING)

    assert soaking == [
        "batch 1/2  0 of 3 nodes done  about 41 s left",
        "failures: 0 of 2 allowed",
        "  > w1  soaking, 2 s left",
    ]
    assert pausing == [
        "batch 1/2  1 of 3 nodes done  about 41 s left",
        "failures: 0 of 2 allowed",
        "pause: 15 s left, then checking 1 node again",
    ]
    assert shown(screen)[2:] == ["  > w1  checking health again  0 s"]


STOPS: dict[str, tuple[float, bool, int, list[str]]] = {
    "in a batch": (180, True, 2, [
        "Stopping after the current batch: 2 nodes in flight.",
        "Press Ctrl-C again to stop immediately:",
        "nodes in flight then undo their change within 180 s.",
    ]),
    "without a guard": (0, True, 1, [
        "Stopping after the current batch: 1 node in flight.",
        "Press Ctrl-C again to stop immediately:",
        "nodes in flight then keep an unconfirmed change.",
    ]),
    "in a pause": (180, True, 0, [
        "Stopping after the current batch.",
        "Press Ctrl-C again to stop immediately.",
    ]),
    "before the first batch": (180, False, 0, [
        "Stopping before the next batch. No more nodes are changed.",
        "Press Ctrl-C again to stop immediately.",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("guard", "begun", "flying", "lines"), STOPS.values(), ids=STOPS)
def test_what_ctrl_c_did_stays_in_sight(
    guard: float, *, begun: bool, flying: int, lines: list[str]
) -> None:
    pressed: list[int] = []
    scope = Scope(total=4, allowed=0, guard=guard)
    view = LiveScreen(Console(file=io.StringIO()), scope, lambda: bool(pressed))
    plain = PlainScreen(scope, lambda: bool(pressed), quiet=True)
    for screen in (view, plain):
        if begun:
            screen.batch(1, 2, ("w1", "w2"))
        for number in range(flying):
            screen.started(f"w{number}", NodeStatus.RUNNING)
    before = shown(view)
    pressed.append(1)

    assert not [line for line in before if "Ctrl-C" in line]
    assert shown(view)[-len(lines) :] == lines
    assert view.show_stop() == ()
    assert list(plain.show_stop()) == lines
    assert all(len(line) <= 60 for line in lines)


@pytest.mark.parametrize(
    ("guard", "flying", "words"),
    [
        (180, 0, "Stopped. No node was being changed."),
        (99, 1, "Stopped. 1 node may have an unconfirmed change and will undo it within 99 s."),
        (
            0,
            2,
            "Stopped. 2 nodes may have an unconfirmed change, which no guard undoes.",
        ),
    ],
)
def test_the_last_words_name_what_is_left_on_nodes(guard: float, flying: int, words: str) -> None:
    screen = PlainScreen(Scope(total=3, allowed=0, guard=guard), quiet=True)
    for number in range(flying):
        screen.started(f"w{number}", NodeStatus.RUNNING)
    screen.started("x", NodeStatus.STAGING)

    assert screen.last_words() == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (7.4, "about 7 s left"),
        (150, "about 2 min 30 s left"),
        (599, "about 10 min left"),
        (7200, "about 2.0 h left"),
    ],
)
def test_times_are_in_a_unit_that_one_reads_at_once(seconds: float | None, words: str) -> None:
    assert progress_text.time_left(seconds) == words


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

    assert screen.status() == "staging  2 of 4 nodes staged"
    assert file.getvalue() == ""


def test_a_node_that_is_back_to_pending_is_not_done() -> None:
    screen, _ = live()
    screen.batch(1, 1, ("w1",))
    screen.ended(NodeOutcome(node="w1", status=NodeStatus.FAILED))
    before = screen.status(), screen.budget()
    screen.ended(NodeOutcome(node="w1", status=NodeStatus.PENDING))

    assert before == ("batch 1/1  1 of 4 nodes done", "failures: 1 of 1 allowed")
    assert screen.status() == "batch 1/1  0 of 4 nodes done"
    assert screen.budget() == "failures: 0 of 1 allowed"


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


def test_what_a_gate_decided_is_shown_and_counts_against_the_budget(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = failure(message="its Node is not Ready\x1b[31m")
    decision = GateDecision(notes=("b: cordoned, and stays so",), flagged={"a": wrong})
    screen = PlainScreen(Scope(total=2, allowed=1), quiet=False)

    screen.gate(1, GateTime.AFTER, decision)

    assert capsys.readouterr().err.splitlines() == [
        "cluster, after batch 1: b: cordoned, and stays so",
        "cluster, after batch 1: a: its Node is not Ready\\x1b[31m",
    ]
    assert screen.budget() == "failures: 1 of 1 allowed"
