"""Plans that must wait: for another rollout's change, or for the user's consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.actions.options import RolloutOptions
from fleet.actions.refusals import refuse_plan
from fleet.core.failure import Failure, FailureKind
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan, PlannedRestart
from fleet.core.rollout.control_plane import Availability
from tests.support.build import failure

PLAN = NodePlan(node=Node(name="a", host="a"))
RISKY = replace(PLAN, restart=PlannedRestart(risk=failure(FailureKind.WORKLOADS)))
UNCONFIRMED = replace(PLAN, availability=Availability(pending="r1"))
OPTIONS = RolloutOptions()
CASES: dict[str, tuple[NodePlan, RolloutOptions, str, FailureKind | None]] = {
    "nothing in the way": (PLAN, OPTIONS, "r2", None),
    "an unconfirmed change of another rollout": (UNCONFIRMED, OPTIONS, "r2", FailureKind.LOCKED),
    "an unconfirmed change of its own": (UNCONFIRMED, OPTIONS, "r1", None),
    "a restart that would end containers": (RISKY, OPTIONS, "r2", FailureKind.WORKLOADS),
    "with consent": (RISKY, RolloutOptions(disrupt_workloads=True), "r2", None),
    "another failure": (
        replace(UNCONFIRMED, failure=failure(FailureKind.HEALTH)),
        OPTIONS,
        "r2",
        FailureKind.HEALTH,
    ),
}


@pytest.mark.parametrize(("plan", "options", "own", "kind"), CASES.values(), ids=list(CASES))
def test_a_plan_that_must_wait_fails(
    plan: NodePlan, options: RolloutOptions, own: str, kind: FailureKind | None
) -> None:
    refused = refuse_plan(plan, options, own).failure

    assert (refused and refused.kind) == kind


def test_the_refusal_names_the_three_ways_on() -> None:
    refused = refuse_plan(UNCONFIRMED, OPTIONS).failure

    assert isinstance(refused, Failure)
    assert refused.message == "change r1 is unconfirmed on this node"
    assert "`fleet resume r1`" in refused.remedy
    assert "`fleet unlock r1`" in refused.remedy
