"""The revert of a node that has converged."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.outcome import NodeOutcome
from fleet.node.converge import revert_change
from fleet.node.result import ConvergeResult
from fleet.node.work_order import WorkOrder

_BUDGET_SPENT = (
    "taken back because the rollout's budget was spent (--on-failure); mend the nodes that failed,"
    " and roll out again"
)


SPENT = Failure(FailureKind.BUDGET, "revert", _BUDGET_SPENT)
"""The failure of a healthy node whose change is reverted because the budget is spent."""


def revert(order: WorkOrder) -> NodeOutcome:
    """Revert a confirmed change because the rollout failed on other nodes."""
    return revert_change(ConvergeResult(order), SPENT)
