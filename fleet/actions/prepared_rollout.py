"""A rollout prepared from the caller's own surveys: plans, batches and policy in one value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleet.actions.journaling import new_rollout_id
from fleet.actions.options import RolloutOptions
from fleet.actions.refusals import refuse_plan
from fleet.core.model.inventory import Inventory
from fleet.core.model.outcome import NodeOutcome
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout import defaults
from fleet.core.rollout.batches import allowed_failures, cut_batches, group_limits, parse_batches
from fleet.core.rollout.control_plane import control_plane_limit
from fleet.core.rollout.policy import Policy
from fleet.engine.survey import NodeSurvey, already_done
from fleet.node.work_order import Deadlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The input of `drive`: every node's plan, the batches, and the policy.

    `settled` holds the nodes that are in no batch: they need no change, or their planning failed.
    """

    id: str
    plans: Mapping[str, NodePlan]
    batches: tuple[tuple[str, ...], ...]
    policy: Policy
    settled: Mapping[str, NodeOutcome] = field(default_factory=dict)
    verify: bool = True
    deadlines: Deadlines = field(default_factory=Deadlines)
    inventory: Inventory | None = None
    """All nodes. Control plane nodes among them are checked before another one is changed."""


def plan(
    found: Iterable[NodeSurvey],
    inventory: Inventory,
    *,
    batch: str = defaults.BATCHES,
    max_failures: str = defaults.MAX_FAILURES,
    verify: bool = True,
    deadlines: Deadlines | None = None,
) -> Rollout:
    """Plan a rollout of surveyed nodes, without a connection to them.

    The options are the flags of the same names. The plan of a node fails if a restart would end
    its containers, as without --disrupt-workloads.
    """
    limits = deadlines or Deadlines()
    options = RolloutOptions(
        batch=batch,
        max_failures=max_failures,
        soak=limits.soak,
        health_timeout=limits.health,
        guard=limits.guard,
        pull_timeout=limits.pull,
        per_mirror=limits.per_mirror,
    )
    options.validate()
    plans = {surveyed.node.name: refuse_plan(surveyed.plan, options) for surveyed in found}
    done = {
        name: outcome
        for name, node_plan in plans.items()
        if (outcome := already_done(node_plan)) is not None
    }
    waiting = [name for name in plans if name not in done]
    waiting.sort(key=lambda name: plans[name].node.order)
    rollout_id = new_rollout_id()
    plane = control_plane_limit(
        inventory, {name: node_plan.availability for name, node_plan in plans.items()}, rollout_id
    )
    return Rollout(
        id=rollout_id,
        plans=plans,
        batches=cut_batches(waiting, parse_batches(batch), plane.nodes, plane.most),
        policy=Policy(
            max_failures=allowed_failures(max_failures, len(plans)),
            limits=group_limits(inventory),
            control_plane=plane,
        ),
        settled=done,
        verify=verify,
        deadlines=limits,
        inventory=inventory,
    )
