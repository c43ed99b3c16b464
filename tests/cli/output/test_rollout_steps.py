"""The next steps after a rollout, by how it and its nodes have ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.actions.job import RolloutResult
from fleet.cli.output.rollout_steps import rollout_steps
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import DrainResult, NodeOutcome, NodeStatus
from fleet.core.rollout.state import RolloutStatus

LOCKED = Failure(FailureKind.LOCKED, Step.LOCK, "it is locked", "wait")
C, U, P, F, L, D = (
    NodeStatus.CONVERGED,
    NodeStatus.UNCHANGED,
    NodeStatus.PENDING,
    NodeStatus.FAILED,
    NodeStatus.UNREACHABLE,
    NodeStatus.DEGRADED,
)


def result(
    status: RolloutStatus, *ends: NodeStatus, kind: str = "rollout", held: bool = False
) -> RolloutResult:
    outcomes = {
        f"w{number}": NodeOutcome(node=f"w{number}", status=end, held=held and end.failed)
        for number, end in enumerate(ends, 1)
    }
    return RolloutResult(rollout="r1", kind=kind, status=status, outcomes=outcomes)


DONE, HALTED, STOPPED = RolloutStatus
ENDINGS = {
    "all is well": (
        result(DONE, C, U),
        ["fleet undo r1", "fleet report r1 -o r1.html"],
    ),
    "failures within the budget": (
        result(DONE, C, F, L),
        [
            "fleet rollout --rerun failed r1",
            "fleet rollout --rerun unreachable r1",
            "fleet undo r1",
        ],
    ),
    "a halt": (
        result(HALTED, C, F, P),
        ["fleet rollout -l 'w[1-3]'", "fleet undo r1"],
    ),
    "a halt of the control plane": (
        result(HALTED, C, P),
        ["fleet resume r1", "fleet undo r1"],
    ),
    "an interruption": (result(STOPPED, C, P, P), ["fleet resume r1", "fleet undo r1"]),
    "an interruption before any change": (result(STOPPED, P), ["fleet resume r1"]),
    "a degraded node that is still locked": (
        result(HALTED, D, P, held=True),
        ["fleet probe -l w1", "fleet resume r1", "fleet rollout -l 'w[1-2]'"],
    ),
    "an undo with a failure": (result(DONE, C, F, kind="undo"), ["fleet undo r1"]),
    "a removal": (result(DONE, C, kind="remove"), ["fleet report r1 -o r1.html"]),
}


@pytest.mark.parametrize(("ended", "commands"), ENDINGS.values(), ids=ENDINGS)
def test_every_ending_names_the_commands_that_go_on(
    ended: RolloutResult, commands: list[str]
) -> None:
    assert [step.command for step in rollout_steps(ended)] == commands


def test_the_purpose_counts_what_is_left() -> None:
    (first, _) = rollout_steps(result(STOPPED, C, P))
    (several, _) = rollout_steps(result(STOPPED, C, P, P))

    assert (first.purpose, several.purpose) == ("finish the other node", "finish the other 2 nodes")


def test_locks_of_others_are_looked_at_first() -> None:
    locked = NodeOutcome(node="w7", status=F, failure=LOCKED)
    ended = RolloutResult(rollout="r1", kind="rollout", status=DONE, outcomes={"w7": locked})

    assert [step.command for step in rollout_steps(ended)] == [
        "fleet locks -l w7",
        "fleet rollout --rerun failed r1",
    ]


def test_where_nothing_was_to_do_pulls_are_proposed() -> None:
    nothing = RolloutResult(
        rollout="", kind="rollout", status=DONE,
        outcomes={"w1": NodeOutcome(node="w1", status=U)},
    )  # fmt: skip

    assert [step.command for step in rollout_steps(nothing)] == ["fleet verify -l w1"]


def test_a_cordon_that_is_left_is_taken_off_by_an_unlock() -> None:
    ended = result(DONE, C, C)
    left = DrainResult(cordoned=True, still_cordoned=True)
    outcomes = {**ended.outcomes, "w2": replace(ended.outcomes["w2"], drain=left)}

    commands = [step.command for step in rollout_steps(replace(ended, outcomes=outcomes))]

    assert "fleet unlock r1 -l w2" in commands
    assert not any("unlock" in step.command for step in rollout_steps(ended))
