"""The removal of fleet from one node, once the node has its original config."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.failure import NodeError, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.change_status import SettleEnding
from fleet.node.progress import enter
from fleet.node.result import ConvergeResult
from fleet.node.settle import SettleMode, settle_with_retries


def finish_removal(work: ConvergeResult, outcome: NodeOutcome) -> NodeOutcome:
    """Remove fleet from a node that has converged to its original config; else do nothing."""
    if work.order.purpose != "remove" or outcome.status is not NodeStatus.CONVERGED:
        return outcome
    return remove_fleet(work)


def remove_fleet(work: ConvergeResult) -> NodeOutcome:
    """Remove fleet's own files from a node; a removal that was interrupted is done again."""
    enter(work.order.node.name, Step.REMOVE)
    try:
        change = settle_with_retries(work.order, SettleMode.REMOVE, work.order.deadlines.lost)
    except NodeError as error:
        work.held = True
        return work.connection_lost(error.failure)
    if change.ending is SettleEnding.REMOVED:
        return work.outcome(NodeStatus.CONVERGED)
    if not work.order.plan.changes:
        return work.outcome(NodeStatus.FAILED, change.failure)
    restored = work.outcome(NodeStatus.ROLLED_BACK, change.failure)  # the original is in force
    return replace(restored, changed=True)
