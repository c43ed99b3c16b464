"""The end of a rollout in words: finished only if nothing failed, otherwise the cause first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.ending import RolloutEnding, ending_line, gates_text, rollout_ending
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.state import GateDecided, RolloutStatus
from tests.support.build import failure

FINISHED, HALTED = RolloutStatus.FINISHED, RolloutStatus.HALTED
INTERRUPTED = RolloutStatus.INTERRUPTED
CONVERGED, PENDING = NodeStatus.CONVERGED, NodeStatus.PENDING
FAILED, AWAY = NodeStatus.FAILED, NodeStatus.UNREACHABLE

ENDINGS = {
    "nothing failed": (FINISHED, {CONVERGED: 3, FAILED: 0}, RolloutEnding.FINISHED),
    "nothing to do": (FINISHED, {}, RolloutEnding.FINISHED),
    "within the budget": (FINISHED, {CONVERGED: 3, FAILED: 1}, RolloutEnding.FAILED),
    "the budget is spent by the last node": (HALTED, {AWAY: 2}, RolloutEnding.FAILED),
    "nodes are left": (HALTED, {FAILED: 1, PENDING: 2}, RolloutEnding.HALTED),
    "the journal cannot be written": (HALTED, {CONVERGED: 2}, RolloutEnding.HALTED),
    "Ctrl-C": (INTERRUPTED, {FAILED: 1, PENDING: 2}, RolloutEnding.INTERRUPTED),
}


@pytest.mark.parametrize(("status", "counts", "ending"), ENDINGS.values(), ids=list(ENDINGS))
def test_how_a_rollout_ended(
    status: RolloutStatus, counts: dict[NodeStatus, int], ending: RolloutEnding
) -> None:
    assert rollout_ending(status, counts) is ending


def outcomes(**statuses: NodeStatus) -> list[NodeOutcome]:
    return [NodeOutcome(node=name, status=status) for name, status in statuses.items()]


def refused(name: str, kind: FailureKind) -> NodeOutcome:
    return NodeOutcome(node=name, status=FAILED, failure=failure(kind, Step.LOCK))


BUDGET = "2 nodes failed, --max-failures allows 0"
LOST = NodeOutcome(node="a", status=AWAY, failure=failure(FailureKind.CONNECT, Step.SETTLE))
LINES = {
    "all well": (FINISHED, outcomes(a=CONVERGED, b=CONVERGED), "", "finished: 2 converged"),
    "nothing to do": (FINISHED, [], "", "finished"),
    "an unhealthy node": (
        FINISHED,
        [
            *outcomes(a=NodeStatus.UNCHANGED, b=CONVERGED),
            NodeOutcome(node="c", status=NodeStatus.UNCHANGED, unhealthy="it is down"),
        ],
        "",
        "finished: 1 unchanged, 1 unchanged but unhealthy, 1 converged",
    ),
    "locked nodes": (
        FINISHED,
        [
            refused("a", FailureKind.LOCKED),
            refused("b", FailureKind.LOCKED),
            *outcomes(c=NodeStatus.UNCHANGED),
        ],
        "",
        "failed: 2 nodes locked by another rollout (1 unchanged)",
    ),
    "all unreachable": (HALTED, outcomes(a=AWAY, b=AWAY), BUDGET, "failed: 2 nodes unreachable"),
    "several causes": (
        HALTED,
        outcomes(a=AWAY, b=NodeStatus.NO_ACCESS, c=NodeStatus.DEGRADED),
        "",
        "failed: 1 node unreachable, 1 node without access, 1 node degraded",
    ),
    "a halt": (
        HALTED,
        outcomes(a=AWAY, b=NodeStatus.ROLLED_BACK, c=PENDING),
        BUDGET,
        f"halted: 1 node unreachable, 1 node rolled back; {BUDGET} (1 pending)",
    ),
    "a halt without failures": (
        HALTED,
        outcomes(a=CONVERGED, b=PENDING),
        "the journal cannot be written",
        "halted: the journal cannot be written (1 pending, 1 converged)",
    ),
    "Ctrl-C": (
        INTERRUPTED,
        outcomes(a=CONVERGED, b=NodeStatus.STAGED),
        "stopped before the next batch",
        "interrupted: stopped before the next batch (1 pending, 1 converged)",
    ),
    "a node in doubt": (FINISHED, [LOST], "", "failed: 1 node with an unsettled change"),
    "another failure": (
        FINISHED,
        [refused("a", FailureKind.STORAGE)],
        "",
        "failed: 1 node failed",
    ),
}


@pytest.mark.parametrize(("status", "ended", "reason", "line"), LINES.values(), ids=list(LINES))
def test_the_line_names_the_cause_before_the_counts(
    status: RolloutStatus, ended: list[NodeOutcome], reason: str, line: str
) -> None:
    assert ending_line("rollout", status, ended, reason) == f"rollout {line}"


def test_a_node_that_a_gate_has_flagged_is_named_as_trouble() -> None:
    found = replace(failure(FailureKind.CLUSTER), step=Step.GATE)
    flagged = NodeOutcome(node="a", status=CONVERGED, failure=found)

    line = ending_line("rollout", FINISHED, [flagged], "")

    assert line == "rollout failed: 1 node wrong in the cluster since the change (1 converged)"


def test_the_gates_tell_what_they_waited_for_and_each_note_once() -> None:
    noted = GateDecision(notes=("a: cordoned, and stays so",))
    waited = GateDecision(notes=noted.notes, waited=34.4)
    gates = [
        GateDecided(0, GateTime.BEFORE, noted),
        GateDecided(0, GateTime.AFTER, waited),
        GateDecided(1, GateTime.BEFORE, noted),
    ]

    assert gates_text(gates) == (
        "cluster: asked about 2 batches, waited 34 s for Ready, which lags behind a restart",
        "a: cordoned, and stays so",
    )
    assert gates_text(gates[:1])[0] == "cluster: asked about 1 batch"
    assert gates_text(()) == ()
