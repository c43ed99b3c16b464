"""The nodes of a job whose failure does not count against its budget."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.core.failure import FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan


def unreachable_nodes(outcomes: Mapping[str, NodeOutcome]) -> set[str]:
    """Return the unreachable nodes that --skip-unreachable leaves out."""
    return {
        name
        for name, outcome in outcomes.items()
        if outcome.status is NodeStatus.UNREACHABLE
        and not (outcome.failure and outcome.failure.step is Step.SETTLE)
    }


def excused_from_undo(
    plans: Mapping[str, NodePlan], outcomes: Mapping[str, NodeOutcome]
) -> set[str]:
    """Return the nodes of a rollback or an undo whose failure says nothing about other nodes.

    Such a node was unhealthy before the rollback, or has no generation to restore.
    """
    unhealthy = {name for name, plan in plans.items() if plan.daemon.unhealthy}
    failures = {name: outcome.failure for name, outcome in outcomes.items() if outcome.failure}
    return unhealthy | {
        name
        for name, failure in failures.items()
        if failure.kind is FailureKind.NO_GENERATION and failure.step is Step.PLAN
    }
