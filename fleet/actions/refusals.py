"""Plans that must not be carried out, though the planner has made them."""

from __future__ import annotations

from dataclasses import replace

from fleet.actions.options import RolloutOptions
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.plan.node_plan import NodePlan


def refuse_plan(plan: NodePlan, options: RolloutOptions, own: str = "") -> NodePlan:
    """Return the plan; it fails if it must wait for another rollout or for the user's consent.

    `own` is the rollout that would carry it out.
    """
    return refuse_disruptive(refuse_unconfirmed(plan, own), options)


def refuse_unconfirmed(plan: NodePlan, own: str = "") -> NodePlan:
    """Return the plan; it fails if a change of another rollout is unconfirmed on the node.

    Its files may be those of mirrors.yaml until the guard reverts that change, so the node would
    be reported as unchanged.
    """
    pending = plan.availability.pending
    if plan.failure is not None or pending in {"", own}:
        return plan
    message = f"change {pending} is unconfirmed on this node"
    remedy = (
        f"wait until its guard reverts it, finish it with `fleet resume {pending}`, or revert it"
        f" with `fleet unlock {pending}`"
    )
    return replace(plan, failure=Failure(FailureKind.LOCKED, Step.LOCK, message, remedy))


def refuse_disruptive(plan: NodePlan, options: RolloutOptions) -> NodePlan:
    """Return the plan; it fails if its restart would end running containers without consent.

    The user consents with --disrupt-workloads.
    """
    if plan.restart.risk is None or plan.failure is not None or options.disrupt_workloads:
        return plan
    return replace(plan, failure=plan.restart.risk)
