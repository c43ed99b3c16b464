"""What people see fits their window: tables, the live view, the legend, the log."""

from __future__ import annotations

import io
import logging
import stat
from pathlib import Path

import pytest
from rich.console import Console

from fleet.actions.user_interface import Scope
from fleet.cli.log_file import Masking
from fleet.cli.output.live import LiveScreen
from fleet.cli.output.outcome import print_outcomes
from fleet.cli.output.plan import legend
from fleet.cli.output.tables import table
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.node.progress import enter, leave
from tests.support.fleet import Fleet

ROWS = [("w1.example.net", "converged", "10 s"), ("w2", "failed", "")]
COLUMNS = ("NODE", "STATUS", "TOOK")


def printed(width: int, *, terminal: bool) -> str:
    out = Console(file=io.StringIO(), width=width, force_terminal=terminal, no_color=True)
    table(COLUMNS, ROWS, out)
    return str(out.file.getvalue())  # type: ignore[attr-defined]


def test_a_table_is_never_broken_for_a_pipe() -> None:
    assert printed(20, terminal=False).splitlines() == [
        "NODE           STATUS    TOOK",
        "w1.example.net converged 10 s",
        "w2             failed",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 100])
def test_no_line_of_a_table_is_wider_than_the_terminal(width: int) -> None:
    lines = printed(width, terminal=True).splitlines()

    assert all(len(line.replace("\x1b[1m", "").replace("\x1b[0m", "")) <= width for line in lines)
    assert ("status: converged" in printed(width, terminal=True)) is (width == 20)


def planned(**about: object) -> NodePlan:
    return NodePlan(node=Node(name="a", host="a"), **about)  # type: ignore[arg-type]


def test_the_legend_explains_the_symbols_in_use_alone() -> None:
    change = Change("/etc/x", None, ManagedFile(b"x"))
    lost = planned(failure=Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "wait"))

    assert legend([planned()]) == "= stays as it is"
    assert legend([planned(changes=(change,)), lost]) == (
        "~ changes  ? cannot be reached  files: + new  ~ changed  - removed"
    )


@pytest.mark.parametrize("size", [(40, 6), (60, 12), (100, 40)], ids=str)
def test_the_live_view_stays_within_its_window(size: tuple[int, int]) -> None:
    width, height = size
    out = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None
    )
    screen = LiveScreen(out, Scope(total=200, allowed=4))
    screen.batch(3, 7, ("x",) * 30)
    for number in range(30):
        screen.started(f"worker-{number}.a-long-name.example.net", NodeStatus.RUNNING)

    with out.capture() as capture:
        out.print(screen)

    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < height
    assert lines[-1].startswith("  ... and")


def test_the_live_view_counts_nodes_and_failures() -> None:
    screen = LiveScreen(Console(file=io.StringIO()), Scope(total=6, allowed=2, failed=1))
    told = [(screen.status(), screen.budget())]
    for number, status in enumerate((NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK), 1):
        screen.batch(number, 3, ("a", "b"))
        screen.ended(NodeOutcome(node=f"{number}", status=status))
        told.append((screen.status(), screen.budget()))
    screen.ended(NodeOutcome(node="b", status=NodeStatus.PENDING))
    told.append((screen.status(), screen.budget()))

    assert told[0] == ("staging  0 of 6 nodes staged", "failures: 1 of 2 allowed")
    assert told[1] == ("batch 1/3  1 of 6 nodes done", "failures: 1 of 2 allowed")
    assert told[2] == ("batch 2/3  2 of 6 nodes done", "failures: 2 of 2 allowed")
    assert told[3] == told[2]


def test_a_node_that_is_asked_again_after_a_pause_is_told_and_counted_once() -> None:
    file = io.StringIO()
    screen = LiveScreen(Console(file=file, width=80), Scope(total=2, allowed=1))
    well = NodeOutcome(node="a", status=NodeStatus.CONVERGED)
    screen.batch(1, 1, ("a", "b"))
    for each in (well, well, NodeOutcome(node="b", status=NodeStatus.CONVERGED)):
        screen.ended(each)
    told = screen.status(), screen.budget()
    screen.ended(NodeOutcome(node="b", status=NodeStatus.ROLLED_BACK))

    assert told == ("batch 1/1  2 of 2 nodes done", "failures: 0 of 1 allowed")
    assert screen.status() == told[0]
    assert screen.budget() == "failures: 1 of 1 allowed"
    shown = [line.split(" (")[0] for line in file.getvalue().splitlines()]
    assert shown == ["~ a: converged", "~ b: converged", "< b: rolled back"]


def test_the_live_view_shows_the_step_of_a_node_and_else_what_it_is_in_for() -> None:
    out = Console(file=io.StringIO(), width=60, height=20)
    screen = LiveScreen(out, Scope(total=2, allowed=0))
    screen.started("a", NodeStatus.RUNNING)
    screen.started("b", NodeStatus.RUNNING)
    enter("a", Step.SOAK)

    with out.capture() as capture:
        out.print(screen)
    leave("a")

    assert [line.split("  ")[1:3] for line in capture.get().splitlines()[2:]] == [
        ["> a", "soaking"],
        ["> b", "activating"],
    ]


FAILED = NodeOutcome(
    node="w3",
    status=NodeStatus.ROLLED_BACK,
    failure=Failure(FailureKind.HEALTH, Step.HEALTH, "it is ill", "restart it", "its words"),
)
ENDS = (*(NodeOutcome(node=f"w{n}", status=NodeStatus.CONVERGED) for n in (1, 2)), FAILED)


@pytest.mark.parametrize(
    ("terminal", "seen", "wanted"),
    [
        (True, ("w1", "w2", "w3"), ["~ w[1-2] (2): converged"]),
        (True, (), ["~ w1: converged", "~ w2: converged"]),
        (False, ("w1", "w2", "w3"), ["~ w1: converged", "~ w2: converged"]),
    ],
    ids=["seen on this terminal", "never seen", "a pipe"],
)
def test_the_recap_sums_up_what_was_seen_and_tells_failures_in_full(
    terminal: bool, seen: tuple[str, ...], wanted: list[str]
) -> None:
    out = Console(file=io.StringIO(), width=80, force_terminal=terminal, color_system=None)

    print_outcomes(ENDS, out, seen)

    assert str(out.file.getvalue()).splitlines() == [  # type: ignore[attr-defined]
        *wanted,
        "< w3: rolled back: it is ill",
        "    remedy: restart it",
        "      | its words",
    ]


def test_the_log_hides_what_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.cli.log_file.KNOWN", {"hunter2"})
    form = Masking()
    record = logging.makeLogRecord({"msg": "sudo hunter2 \x1b[1m\npassword = abc"})

    line = form.format(record)

    assert "hunter2" not in line
    assert "abc" not in line
    assert "\x1b" not in line


def test_a_log_is_appended_to_and_for_its_owner_alone(offline: Fleet) -> None:
    offline("check", "--log", "fleet.log")
    ran = offline("--log", "fleet.log", "inventory", "-i", "nowhere.yaml")
    lost = offline("check", "--log", "nowhere/fleet.log")

    path = Path(offline.folder / "fleet.log")
    text = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert text.count(" INFO fleet: fleet ") == 2
    assert "ended with 2: nowhere.yaml: not found" in text
    assert (ran.code, lost.code) == (2, 2)
    assert "--log nowhere/fleet.log: cannot be written" in lost.stderr
