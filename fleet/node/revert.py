"""The revert of a node that has converged."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.converge import revert_change
from fleet.node.result import ConvergeResult
from fleet.node.work_order import WorkOrder

_MENDED = (
    "taken back because the rollout's budget was spent (--on-failure); mend the nodes that failed,"
    " and roll out again"
)


SPENT = Failure(FailureKind.BUDGET, "revert", _MENDED)
"""Why a node that was well gave its change up."""


def revert(order: WorkOrder) -> NodeOutcome:
    """Take a confirmed change back, since the rollout failed elsewhere."""
    return revert_change(ConvergeResult(order), SPENT)


_BACK = NodeStatus.ROLLED_BACK
