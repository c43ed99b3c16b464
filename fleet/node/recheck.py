"""Work on a node that converged or was interrupted: recheck its health, or settle what was left."""

from __future__ import annotations

from fleet.core.failure import NodeError
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.converge import check_gates, continue_converge, report_undo, revert_change
from fleet.node.result import ConvergeResult
from fleet.node.settle import UNDONE, settle_with_retries
from fleet.node.work_order import WorkOrder


def recheck(order: WorkOrder) -> NodeOutcome:
    """Check a converged node's health again; revert its change if it is unhealthy."""
    return check_gates(ConvergeResult(order), "recheck")


def settle_left(order: WorkOrder) -> NodeOutcome:
    """Settle a change that an interrupted run left; PENDING means that it must be done again."""
    work = ConvergeResult(order)
    try:
        change = settle_with_retries(order, "look", order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    if change.state == "swapped":
        return continue_converge(work)
    if change.state in UNDONE:
        outcome = revert_change(work, None)
        return (
            work.outcome(NodeStatus.PENDING)
            if outcome.status is NodeStatus.ROLLED_BACK
            else outcome
        )
    pending = change.state == "untouched" or (
        change.state == "restored" and change.reason != "failed"
    )
    return (
        work.outcome(NodeStatus.PENDING) if pending else work.standing(change, report_undo(change))
    )
