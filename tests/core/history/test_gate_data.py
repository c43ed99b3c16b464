"""Decisions of gates as data: they come back as they were written."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.history.gate_data import gate_data, gates_data, read_gate, read_gate_event
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.state import GateDecided

WRONG = Failure(FailureKind.CLUSTER, Step.GATE, "the Node is not Ready", "repair the node")
DECISION = GateDecision(
    notes=("a is cordoned",),
    held={"a": WRONG},
    excused=frozenset("a"),
    flagged={"b": WRONG},
    unavailable={"c": "not Ready"},
    halt=WRONG,
    waited=12.5,
)


def test_a_decision_comes_back_as_it_was_written() -> None:
    assert read_gate(gate_data(DECISION)) == DECISION


def test_batches_count_from_one_in_data() -> None:
    event = GateDecided(0, GateTime.AFTER, DECISION)

    (data,) = gates_data([event])

    assert (data["batch"], data["when"]) == (1, "after")
    assert read_gate_event(data) == event
