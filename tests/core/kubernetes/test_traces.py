"""Traces on a Node object: what the Events say, and which generation the annotation names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.kubernetes.traces import GENERATION, Change
from fleet.core.model.outcome import NodeOutcome, NodeStatus

AT = "2026-11-28T02:00:00Z"
CHANGE = Change(node="w1", kind="rollout", rollout="r-1", operator="ann@desk", message="ticket 7")
DONE = NodeOutcome(node="a", status=NodeStatus.CONVERGED, changed=True, generation="r-1")
FAILURE = Failure(FailureKind.VERIFY, Step.VERIFY, "the pull failed", "look at the mirror")


def test_the_first_event_names_the_rollout_the_operator_and_the_reason() -> None:
    event = CHANGE.begin_event(AT)

    assert event["metadata"] == {"generateName": "containerd-fleet-", "namespace": "default"}
    assert event["involvedObject"] == {
        "kind": "Node",
        "apiVersion": "v1",
        "name": "w1",
        "uid": "w1",
    }
    assert (event["type"], event["reason"]) == ("Normal", "RegistryConfigChanging")
    assert event["message"] == (
        "fleet changes the registry config of containerd (rollout r-1 of ann@desk: ticket 7)"
    )
    assert event["source"]["component"] == event["reportingComponent"] == "containerd-fleet"
    assert (event["firstTimestamp"], event["lastTimestamp"], event["count"]) == (AT, AT, 1)


ENDS = {
    NodeStatus.CONVERGED: ("Normal", "RegistryConfigChanged", "converged"),
    NodeStatus.UNCHANGED: ("Normal", "RegistryConfigUnchanged", "unchanged"),
    NodeStatus.ROLLED_BACK: ("Warning", "RegistryConfigReverted", "rolled back"),
    NodeStatus.DEGRADED: ("Warning", "RegistryConfigFailed", "degraded"),
    NodeStatus.FAILED: ("Warning", "RegistryConfigFailed", "failed"),
}


@pytest.mark.parametrize(("status", "told"), ENDS.items(), ids=[str(status) for status in ENDS])
def test_the_last_event_names_the_outcome(status: NodeStatus, told: tuple[str, str, str]) -> None:
    event = CHANGE.end_event(replace(DONE, status=status), AT)

    assert (event["type"], event["reason"]) == told[:2]
    assert event["message"] == f"fleet ended with {told[2]} (rollout r-1 of ann@desk: ticket 7)"


def test_a_failure_is_named_in_one_line_that_the_api_takes() -> None:
    long = replace(FAILURE, message=f"the pull failed\x1b[2J{'x' * 2000}")
    event = replace(CHANGE, message="").end_event(replace(DONE, failure=long), AT)

    assert event["message"].startswith("fleet ended with converged: the pull failed\\x1b[2Jxxx")
    assert len(event["message"]) == 1024


REVERTED = replace(DONE, status=NodeStatus.ROLLED_BACK)
REMOVAL = replace(CHANGE, kind="remove")
ANNOTATIONS = {
    "the first change": (CHANGE, DONE, None, None, "r-1"),
    "a later change": (CHANGE, DONE, "r-0", None, "r-1"),
    "a removal": (REMOVAL, DONE, "r-0", None, None),
    "a revert of this rollout": (CHANGE, REVERTED, "r-1", "r-0", "r-0"),
    "a revert of the first change": (CHANGE, REVERTED, "r-1", None, None),
}


@pytest.mark.parametrize(
    ("change", "outcome", "present", "before", "after"), ANNOTATIONS.values(), ids=ANNOTATIONS
)
def test_the_annotation_names_the_generation_of_the_last_change(
    change: Change, outcome: NodeOutcome, present: str | None, before: str | None, after: str | None
) -> None:
    patch = change.annotation(outcome, present, before)

    assert patch == {"metadata": {"annotations": {GENERATION: after}}}


RIGHT = {
    "nothing changed": (replace(DONE, changed=False), "r-0"),
    "the work failed": (replace(DONE, status=NodeStatus.FAILED), "r-0"),
    "it reverted before it converged": (REVERTED, "r-0"),
    "it is there already": (DONE, "r-1"),
}


@pytest.mark.parametrize(("outcome", "present"), RIGHT.values(), ids=RIGHT)
def test_an_annotation_that_is_right_stays(outcome: NodeOutcome, present: str) -> None:
    assert CHANGE.annotation(outcome, present, "r-x") is None


def test_a_revert_has_a_begin_of_its_own() -> None:
    event = CHANGE.begin_event(AT, reverting=True)

    assert (event["type"], event["reason"]) == ("Normal", "RegistryConfigReverting")
    assert event["message"].startswith("fleet reverts the registry config of containerd (")
