"""Statuses of nodes, and outcomes that take over the evidence of an earlier one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.outcome import (
    HostAttempt,
    Liveness,
    LivenessState,
    NodeOutcome,
    NodeStatus,
    PullClient,
    Verified,
    is_success,
)


def those(property_name: str) -> set[str]:
    return {status.value for status in NodeStatus if getattr(status, property_name)}


def test_the_statuses_that_count_against_the_budget() -> None:
    assert those("failed") == {
        "rolled_back",
        "failed",
        "unreachable",
        "no_access",
        "stale",
        "degraded",
    }


def test_the_statuses_in_which_a_worker_is_busy() -> None:
    assert those("in_flight") == {"staging", "running", "checking", "reverting"}


def test_the_statuses_in_which_a_node_is_being_changed() -> None:
    assert those("changing") == {"running", "checking", "reverting"}


def test_the_statuses_in_which_nothing_was_changed_yet() -> None:
    assert those("not_begun") == {"pending", "staging", "staged"}


def test_users_see_a_staged_node_as_pending() -> None:
    shown = {status: status.shown for status in NodeStatus if status.shown is not status}

    assert shown == {
        NodeStatus.STAGING: NodeStatus.PENDING,
        NodeStatus.STAGED: NodeStatus.PENDING,
    }


@pytest.mark.parametrize(
    ("response", "good"),
    [
        ("200 OK", True),
        ("206 Partial Content", True),
        ("404 Not Found", False),
        ("no answer", False),
        ("", False),
    ],
)
def test_a_response_is_a_success_by_its_status(response: str, good: bool) -> None:
    assert is_success(response) is good
    assert HostAttempt("m", "resolve", response).good is good


PULL = Verified("busybox", True, PullClient.CTR)
BEFORE = NodeOutcome(
    node="a",
    status=NodeStatus.CONVERGED,
    restarted=True,
    verified=(PULL,),
    unproven=("quay.io",),
    liveness=Liveness(LivenessState.LIVE),
    seconds=1.5,
)
RECHECK = NodeOutcome(node="a", status=NodeStatus.CONVERGED, seconds=0.25)


def test_a_recheck_takes_over_the_evidence_of_the_pulls() -> None:
    outcome = RECHECK.after(BEFORE)

    assert outcome == replace(BEFORE, seconds=1.75)


def test_evidence_of_its_own_is_kept() -> None:
    own = replace(
        RECHECK,
        verified=(replace(PULL, ok=False),),
        unproven=("gcr.io",),
        liveness=Liveness("not reading"),
    )

    outcome = own.after(BEFORE)

    assert (outcome.verified, outcome.unproven) == (own.verified, ("gcr.io",))
    assert outcome.liveness == Liveness("not reading")


def test_a_restart_of_either_counts() -> None:
    first = replace(BEFORE, restarted=False)

    assert not RECHECK.after(first).restarted
    assert replace(RECHECK, restarted=True).after(first).restarted


@pytest.mark.parametrize(
    "status", [status for status in NodeStatus if status is not NodeStatus.CONVERGED]
)
def test_an_outcome_that_did_not_converge_has_no_evidence(status: NodeStatus) -> None:
    assert RECHECK.after(replace(BEFORE, status=status)) is RECHECK


def test_a_first_outcome_stands_alone() -> None:
    assert RECHECK.after(None) is RECHECK


def test_seconds_are_rounded_to_hundredths() -> None:
    assert replace(RECHECK, seconds=0.1).after(replace(BEFORE, seconds=0.2)).seconds == 0.3
