"""Outcomes as text: a line for each node, the recap, and the exit code of a rollout."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from fleet.actions.job import RolloutResult
from fleet.cli.options import Exit
from fleet.cli.output.outcome import (
    MARKS,
    exit_code,
    outcome_line,
    print_outcomes,
    print_recap,
    show_result,
    still_cordoned,
    still_locked,
    verdict_words,
)
from fleet.cli.output.tables import console
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import (
    DrainResult,
    NodeOutcome,
    NodeStatus,
    PullClient,
    Served,
    Verified,
)
from fleet.core.rollout.state import RolloutStatus
from tests.support.settings import JSON, TEXT

HEALTH = Failure(
    FailureKind.HEALTH, Step.RESTART, "it is ill", "try again", evidence="line 1\nline 2"
)
PULL = Verified("a/b:1", ok=True, via=PullClient.CRICTL, mirror="m.example", served=Served.MIRROR)


def outcome(status: NodeStatus = NodeStatus.CONVERGED, **fields: Any) -> NodeOutcome:
    return NodeOutcome(**{"node": "w1", "status": status, **fields})


LINES = {
    "alone": (outcome(), "w1: converged"),
    "with its time": (outcome(seconds=12.34), "w1: converged (12.3 s)"),
    "unhealthy": (
        outcome(NodeStatus.UNCHANGED, unhealthy="containerd is inactive/dead\x1b"),
        "w1: unchanged, but unhealthy: containerd is inactive/dead\\x1b",
    ),
    "restarted": (outcome(restarted=True), "w1: converged (restarted)"),
    "a pull": (
        outcome(verified=(PULL,)),
        "w1: converged (pulled a/b:1 by crictl, served by m.example)",
    ),
    "a pull by ctr": (
        outcome(verified=(Verified("a/b:1", ok=True, via=PullClient.CTR),)),
        "w1: converged (pulled a/b:1 by ctr, mirror unknown, CRI not verified)",
    ),
    "a pull that failed": (
        outcome(verified=(Verified("a/b:1", ok=False, via=PullClient.CTR),)),
        "w1: converged",
    ),
    "all of it": (
        outcome(seconds=1.0, restarted=True, verified=(PULL,)),
        "w1: converged (1.0 s; restarted; pulled a/b:1 by crictl, served by m.example)",
    ),
}


@pytest.mark.parametrize(("ended", "line"), LINES.values(), ids=LINES)
def test_an_outcome_is_one_line(ended: NodeOutcome, line: str) -> None:
    assert outcome_line(ended) == line


def test_a_brief_line_leaves_the_message_to_the_recap() -> None:
    failed = outcome(NodeStatus.FAILED, failure=HEALTH)

    assert outcome_line(failed, brief=True) == "w1: failed: unhealthy"
    assert outcome_line(failed).startswith("w1: failed: it is ill")


SERVED = {
    Served.MIRROR: "served by m.example",
    Served.UPSTREAM: "served by upstream, m.example",
    Served.PRESENT: "already there",
    Served.UNKNOWN: "mirror unknown",
}


@pytest.mark.parametrize(("served", "words"), SERVED.items())
def test_every_verdict_has_its_words(served: Served, words: str) -> None:
    pull = Verified("a/b:1", ok=True, via=PullClient.CRICTL, mirror="m.example", served=served)

    assert verdict_words(pull) == words


@pytest.mark.parametrize("status", NodeStatus)
def test_every_status_has_a_mark(status: NodeStatus) -> None:
    mark, style = MARKS[status]

    assert len(mark) == 1
    assert style != ""


def printed(outcomes: list[NodeOutcome]) -> list[str]:
    out = Console(file=io.StringIO(), width=200, color_system=None)
    print_outcomes(outcomes, out)
    return str(out.file.getvalue()).splitlines()  # type: ignore[attr-defined]


def test_only_the_end_of_long_evidence_is_printed() -> None:
    evidence = "\n".join(f"line {number}" for number in range(20))

    lines = printed(
        [
            outcome(
                failure=Failure(FailureKind.HEALTH, Step.SOAK, "m", "try again", evidence=evidence)
            )
        ]
    )

    assert [line for line in lines if "|" in line] == [
        f"      | line {number}" for number in range(12, 20)
    ]


def test_evidence_cannot_control_a_terminal() -> None:
    failure = Failure(FailureKind.HEALTH, Step.SOAK, "m\x1b[2J", "try again", evidence="e\x1b[2J")

    assert "\x1b" not in "".join(printed([outcome(failure=failure)]))


def test_nodes_that_are_still_locked_are_named_together() -> None:
    held = [outcome(node=f"w{number}", held=number < 3) for number in range(1, 4)]

    assert still_locked(held, "r1").startswith("w[1-2]: still locked")
    assert "`fleet resume r1`" in still_locked(held, "r1")
    assert still_locked([outcome()], "r1") == ""


@pytest.mark.parametrize(("rollout", "locked"), [("r1", True), ("", False)])
def test_a_recap_names_locks_only_if_the_journal_can_settle_them(
    rollout: str, *, locked: bool
) -> None:
    out = Console(file=io.StringIO(), width=200, color_system=None)

    print_recap([outcome(held=True, unproven=("quay.io",))], "the end", rollout, out)

    lines = str(out.file.getvalue()).splitlines()  # type: ignore[attr-defined]
    assert lines[:2] == ["~ w1: converged", "the end"]
    assert "quay.io" in lines[2]
    assert (len(lines) == 4) is locked


CODES = {
    "all well": (RolloutStatus.FINISHED, [outcome()], Exit.OK),
    "nothing to do": (RolloutStatus.FINISHED, [], Exit.OK),
    "a failure": (RolloutStatus.FINISHED, [outcome(), outcome(NodeStatus.FAILED)], Exit.FAILED),
    "a node that is away": (RolloutStatus.FINISHED, [outcome(NodeStatus.UNREACHABLE)], Exit.FAILED),
    "a cordon that is left": (
        RolloutStatus.FINISHED,
        [outcome(drain=DrainResult(cordoned=True, still_cordoned=True))],
        Exit.FAILED,
    ),
    "a stale plan": (RolloutStatus.FINISHED, [outcome(NodeStatus.STALE)], Exit.HALTED),
    "a halt": (RolloutStatus.HALTED, [outcome()], Exit.HALTED),
    "a node of another rollout": (
        RolloutStatus.FINISHED,
        [
            outcome(
                NodeStatus.FAILED,
                failure=Failure(FailureKind.LOCKED, Step.LOCK, "held", "try again"),
            )
        ],
        Exit.HALTED,
    ),
    "Ctrl-C": (RolloutStatus.INTERRUPTED, [outcome(NodeStatus.FAILED)], Exit.INTERRUPTED),
    "a degraded node": (RolloutStatus.INTERRUPTED, [outcome(NodeStatus.DEGRADED)], Exit.DEGRADED),
}


@pytest.mark.parametrize(("status", "outcomes", "code"), CODES.values(), ids=CODES)
def test_the_gravest_end_gives_the_exit_code(
    status: RolloutStatus, outcomes: list[NodeOutcome], code: Exit
) -> None:
    assert exit_code(status, outcomes) is code


RESULT = RolloutResult(
    kind="rollout",
    rollout="r1",
    status=RolloutStatus.FINISHED,
    reason="",
    outcomes={"w1": outcome()},
    batches=(("w1",),),
    counts={NodeStatus.CONVERGED: 1},
)


def test_a_result_is_printed_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_result(RESULT, TEXT, ())

    assert capsys.readouterr().out == (
        "~ w1: converged\nrollout finished: 1 converged  r1\nNext:\n  undo it:\n    fleet undo r1\n"
        "  keep a report:\n    fleet report r1 -o r1.html\n"
    )


def test_a_result_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_result(RESULT, JSON, ())

    data = json.loads(capsys.readouterr().out)
    assert (data["rollout"], data["status"]) == ("r1", "finished")
    assert data["nodes"]["w1"]["status"] == "converged"


def test_a_recap_shows_a_failure_once_and_nodes_without_changes_together(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = [
        outcome(NodeStatus.FAILED, node=f"w{number}", failure=replace(HEALTH, address=str(number)))
        for number in (1, 2)
    ]
    pending = [outcome(NodeStatus.PENDING, node=f"w{number}") for number in (3, 4)]

    print_outcomes([*failed, *pending], console(color=False))

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [". w[3-4] (2): pending", "! w[1-2] (2): failed: it is ill"]
    assert sum("it is ill" in line for line in lines) == 1


def test_unhealthy_nodes_do_not_share_a_line_with_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    same = [outcome(NodeStatus.UNCHANGED, node=name) for name in ("w1", "w2")]
    down = [replace(end, node=f"{end.node}1", unhealthy="it is down") for end in same]

    print_outcomes([*same, *down], console(color=False))

    assert capsys.readouterr().out.splitlines() == [
        "= w[1-2] (2): unchanged",
        "= w[11,21] (2): unchanged, but unhealthy: it is down",
    ]


DRAINS = {
    "drained": (
        DrainResult(cordoned=True, drained=True, evicted=("a/b",)),
        "drained: 1 pod evicted",
    ),
    "cordoned": (DrainResult(cordoned=True), "was cordoned"),
    "a person's": (
        DrainResult(drained=True, kept_cordon=True),
        "drained: 0 pods evicted; stays cordoned, as it was before",
    ),
}


@pytest.mark.parametrize(("drain", "facts"), DRAINS.values(), ids=DRAINS)
def test_the_line_of_a_node_says_what_was_done_with_its_pods(
    drain: DrainResult, facts: str
) -> None:
    outcome = NodeOutcome(node="w1", status=NodeStatus.CONVERGED, drain=drain)

    assert outcome_line(outcome) == f"w1: converged ({facts})"


def test_nodes_that_are_still_cordoned_are_named_with_the_way_out() -> None:
    left = DrainResult(cordoned=True, still_cordoned=True)
    lost = [NodeOutcome(node=n, status=NodeStatus.DEGRADED, drain=left) for n in ("w1", "w2")]
    done = NodeOutcome(node="w3", status=NodeStatus.CONVERGED, drain=DrainResult(cordoned=True))

    assert still_cordoned([done], "r1") == ""
    assert still_cordoned([*lost, done], "r1").replace("\N{NO-BREAK SPACE}", " ") == (
        "w[1-2]: still cordoned by this rollout; `fleet unlock r1` uncordons"
    )
