"""The revert of a node that has converged."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome
from fleet.node.converge import revert_change
from fleet.node.result import ConvergeResult
from fleet.node.work_order import WorkOrder

SPENT = Failure(
    FailureKind.BUDGET,
    Step.REVERT,
    "reverted because too many nodes failed (--max-failures, --on-failure)",
    "fix the nodes that failed, then run the command again",
)
"""The failure of a healthy node whose change is reverted because the budget is spent."""


def revert(order: WorkOrder) -> NodeOutcome:
    """Revert a confirmed change because the rollout failed on other nodes."""
    return revert_change(ConvergeResult(order), SPENT)
