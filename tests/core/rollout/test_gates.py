"""Decisions of gates: what one that has nothing to say leaves as it is."""

from __future__ import annotations

from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.state import GateDecided, advance, begin

STATE = begin((("a",),), {})


def test_a_gate_without_a_finding_changes_nothing_but_that_it_was_asked() -> None:
    before = advance(STATE, GateDecided(0, GateTime.BEFORE, GateDecision()))
    after = advance(STATE, GateDecided(0, GateTime.AFTER, GateDecision()))

    assert before == STATE
    assert (after.judged, after.flagged, after.excused, after.unready) == ({0}, set(), set(), set())


def test_what_was_unavailable_before_a_batch_is_remembered() -> None:
    decision = GateDecision(unavailable={"x": "not Ready"})

    assert advance(STATE, GateDecided(0, GateTime.BEFORE, decision)).unready == {"x"}
