"""The fingerprint of plans: the same for the same changes of the same nodes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.node import Node
from fleet.core.plan.fingerprint import plans_fingerprint
from fleet.core.plan.node_plan import NodePlan, PlannedRestart

LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "wait", address="a:1")


def plan(content: bytes = b"x", mode: int = 0o644, **fields: object) -> NodePlan:
    change = Change("/etc/x", None, ManagedFile(content, mode))
    about = {"node": Node(name="w1", host="w1"), "changes": (change,), **fields}
    return NodePlan(**about)  # type: ignore[arg-type]


def test_equal_plans_have_one_fingerprint_for_each_salt() -> None:
    assert plans_fingerprint([plan()], "a") == plans_fingerprint([plan()], "a")
    assert plans_fingerprint([plan()], "a") != plans_fingerprint([plan()], "b")


def test_an_address_does_not_count() -> None:
    plans = [plan(failure=replace(LOST, address=address)) for address in ("a:1", "b:2")]

    assert plans_fingerprint(plans[:1], "") == plans_fingerprint(plans[1:], "")


@pytest.mark.parametrize(
    "other",
    [
        plan(b"y"),
        plan(mode=0o600),
        plan(node=Node(name="w2", host="w2")),
        plan(restart=PlannedRestart(cost=RestartCost.RESTART)),
        plan(notes=("look",)),
        plan(failure=LOST),
        plan(changes=()),
    ],
    ids=["content", "mode", "node", "restart", "note", "failure", "no change"],
)
def test_another_plan_has_another_fingerprint(other: NodePlan) -> None:
    assert plans_fingerprint([other], "") != plans_fingerprint([plan()], "")
