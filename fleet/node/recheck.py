"""Work on a node that converged or was interrupted: recheck its health, or settle what was left."""

from __future__ import annotations

from fleet.core.failure import NodeError
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.change_status import ChangeState, RevertReason
from fleet.node.converge import check_gates, continue_converge, report_undo, revert_change
from fleet.node.removal import finish_removal
from fleet.node.result import ConvergeResult
from fleet.node.settle import SettleMode, settle_with_retries
from fleet.node.work_order import WorkOrder


def recheck(order: WorkOrder) -> NodeOutcome:
    """Check a converged node's health again; revert its change if it is unhealthy.

    A node from which fleet was removed has nothing left to check or revert.
    """
    if order.purpose == "remove":
        return ConvergeResult(order).outcome(NodeStatus.CONVERGED)
    return check_gates(ConvergeResult(order), SettleMode.RECHECK)


def settle_left(order: WorkOrder) -> NodeOutcome:
    """Settle a change that an interrupted run left; PENDING means that it must be done again."""
    work = ConvergeResult(order)
    return finish_removal(work, _settle_left(work))


def _settle_left(work: ConvergeResult) -> NodeOutcome:
    order = work.order
    try:
        change = settle_with_retries(order, SettleMode.LOOK, order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    match change.state:
        case ChangeState.SWAPPED:
            return continue_converge(work)
        case ChangeState.ARMED | ChangeState.REVERTING:
            outcome = revert_change(work, None)
            reverted = outcome.status is NodeStatus.ROLLED_BACK
            return work.outcome(NodeStatus.PENDING) if reverted else outcome
        case ChangeState.UNTOUCHED:
            return work.outcome(NodeStatus.PENDING)
        case ChangeState.RESTORED if change.reason is not RevertReason.FAILED:
            return work.outcome(NodeStatus.PENDING)
        case (
            ChangeState.CONFIRMED
            | ChangeState.RESTORED
            | ChangeState.UNWELL
            | ChangeState.APPLYING
            | None
        ):
            return work.standing(change, report_undo(change))
