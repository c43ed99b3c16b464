"""The gates of a cluster in a resumed rollout: they are asked again where that is due."""

from __future__ import annotations

from fleet.core.rollout.gates import GateDecision
from fleet.core.rollout.state import RolloutState
from tests.engine.test_cluster_gates import AFTER, BAD, THREE, C, Gates, P, driven


def test_a_resume_asks_again_before_a_batch_but_not_about_a_judged_one() -> None:
    state = RolloutState(THREE, {"a": C, "b": C, "c": P}, begun=1, judged=frozenset({0}))
    gates = Gates()

    driven(gates, state=state)

    assert gates.asked == [("before", 1), ("after", 1)]


def test_a_resume_after_the_last_batch_still_asks_about_it() -> None:
    state = RolloutState(THREE, dict.fromkeys("abc", C), begun=1, judged=frozenset({0}))
    gates = Gates()

    assert driven(gates, state=state).end.status == "finished"
    assert gates.asked == [("after", 1)]


def test_a_halt_after_the_last_batch_is_no_finish_and_is_asked_about_again() -> None:
    halted = driven(Gates({(AFTER, 1): GateDecision(halt=BAD)}))
    again = Gates()

    resumed = driven(again, state=halted.end.state)

    assert (halted.end.status, halted.statuses) == ("halted", "converged converged converged")
    assert resumed.end.status == "finished"
    assert again.asked == [("after", 1)]
