"""A node after its pass: asked again, told to take the change back, or found out about."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.converge import gated, go_on, taken_back, undone
from fleet.node.order import WorkOrder
from fleet.node.settle import UNDONE, settle_patiently
from fleet.node.work import Pass

_MENDED = (
    "taken back because the rollout's budget was spent (--on-failure); mend the nodes that failed,"
    " and roll out again"
)
SPENT = Failure(FailureKind.BUDGET, "revert", _MENDED)
"""Why a node that was well gave its change up."""


def recheck(order: WorkOrder) -> NodeOutcome:
    """Ask a converged node for health again; an ill one takes its change back."""
    return gated(Pass(order), "recheck")


def revert(order: WorkOrder) -> NodeOutcome:
    """Take a confirmed change back, since the rollout failed elsewhere."""
    return taken_back(Pass(order), SPENT)


def settle_left(order: WorkOrder) -> NodeOutcome:
    """Bring a change to its end that a dead run left; PENDING means that it is to be done anew."""
    work = Pass(order)
    try:
        found = settle_patiently(order, "look", order.deadlines.lost)
    except NodeError as error:
        return work.lost(error.failure)
    if found.state == "swapped":
        return go_on(work)
    if found.state in UNDONE:
        ended = taken_back(work, None)
        return work.outcome(NodeStatus.PENDING) if ended.status is _BACK else ended
    anew = found.state == "untouched" or (found.state == "restored" and found.why != "failed")
    return work.outcome(NodeStatus.PENDING) if anew else work.standing(found, undone(found))


_BACK = NodeStatus.ROLLED_BACK
