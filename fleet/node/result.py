"""The result of a node's work so far, and its outcome at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import Liveness, NodeOutcome, NodeStatus, Verified
from fleet.node.activate import Ending
from fleet.node.change_status import ChangeState, ChangeStatus
from fleet.node.progress import leave
from fleet.node.work_order import WorkOrder


def status_after(ending: Ending) -> NodeStatus:
    """Return the status of a node after a script that staged or activated a change."""
    match ending:
        case Ending.STAGED:
            return NodeStatus.STAGED
        case Ending.SWAPPED:
            return NodeStatus.RUNNING
        case Ending.FAILED | Ending.UNSTAGED:
            return NodeStatus.FAILED
        case Ending.ROLLED_BACK:
            return NodeStatus.ROLLED_BACK
        case Ending.UNSETTLED:
            return NodeStatus.UNREACHABLE
        case Ending.DEGRADED:
            return NodeStatus.DEGRADED


def _status_of(state: ChangeState | None) -> NodeStatus:
    """Return the status of a node by the state of its change, once no more work is done on it."""
    match state:
        case ChangeState.CONFIRMED:
            return NodeStatus.CONVERGED
        case ChangeState.RESTORED:
            return NodeStatus.ROLLED_BACK
        case ChangeState.UNTOUCHED:
            return NodeStatus.FAILED
        case (
            ChangeState.ARMED
            | ChangeState.SWAPPED
            | ChangeState.REVERTING
            | ChangeState.UNWELL
            | ChangeState.APPLYING
            | None
        ):
            return NodeStatus.DEGRADED


@dataclass(slots=True)
class ConvergeResult:
    """The result of one node's work so far; the outcome is made from it at the end."""

    order: WorkOrder
    began: float = field(default_factory=time.monotonic)
    restarted: bool = False
    verified: tuple[Verified, ...] = ()
    liveness: Liveness | None = None
    held: bool = False
    unhealthy: str = ""
    """The reason why the restored node is unhealthy; the state was unhealthy when it was saved."""

    def outcome(self, status: NodeStatus, failure: Failure | None = None) -> NodeOutcome:
        """End the work with this status."""
        plan = self.order.plan
        leave(plan.node.name)
        has_generation = status in {NodeStatus.CONVERGED, NodeStatus.DEGRADED}
        has_generation &= self.order.purpose != "remove"
        if self.unhealthy and status in {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK}:
            failure = self._unhealthy_as_saved(failure)
        if failure is not None and failure.kind is FailureKind.STALE:
            status = NodeStatus.STALE if status is NodeStatus.FAILED else status
        return NodeOutcome(
            node=plan.node.name,
            status=status,
            strategy=plan.strategy,
            containerd=plan.containerd,
            changed=status is NodeStatus.CONVERGED,
            restarted=self.restarted,
            generation=self.order.rollout if has_generation else None,
            verified=self.verified,
            liveness=self.liveness,
            failure=failure,
            seconds=round(time.monotonic() - self.began, 2),
            unproven=self._unproven() if status is NodeStatus.CONVERGED else (),
            held=self.held,
        )

    def _unproven(self) -> tuple[str, ...]:
        """Return the changed registries that no pull has verified."""
        plan, changed = self.order.plan, self.order.tries_left or bool(self.order.plan.changes)
        skipped = plan.pulls.tests if changed and not self.order.verify else ()
        pulls = tuple(test.registry for test in skipped)
        return tuple(dict.fromkeys((*plan.pulls.unproven, *pulls)))

    def _unhealthy_as_saved(self, failure: Failure | None) -> Failure:
        """Return the failure of a restored node that was unhealthy when its state was saved."""
        message = f"{self.unhealthy}; the node was already unhealthy when this state was saved"
        remedy = (
            f"find the reason in `journalctl -u {self.order.plan.daemon.unit}` on the node, or run"
            " `fleet rollout`"
        )
        if failure is None:
            return Failure(FailureKind.HEALTH, Step.RESTORED, message, remedy)
        return replace(failure, evidence=f"{failure.evidence}\n{message}".strip())

    def standing(self, change: ChangeStatus, failure: Failure | None) -> NodeOutcome:
        """End the work with the status that the node itself reports for the change."""
        status = _status_of(change.state)
        if status is NodeStatus.CONVERGED and change.edited_file:
            return self.outcome(NodeStatus.STALE, _changed_since(change.edited_file))
        return self.outcome(status, None if status is NodeStatus.CONVERGED else failure)

    def unsettled(self, failure: Failure | None) -> NodeOutcome:
        """End the work on a healthy node that could not revert its change yet."""
        reason = failure.message if failure else "the change could not be reverted"
        message = (
            f"{reason}; the node's guard cannot restore the old files yet and retries every 20 s"
        )
        remedy = "free some disk space on the node (`df -h`)"
        kind, evidence = (failure.kind, failure.evidence) if failure else (FailureKind.STORAGE, "")
        final = Failure(kind, Step.SETTLE, message, remedy, evidence)
        return self.outcome(NodeStatus.UNREACHABLE, final)

    def connection_lost(self, failure: Failure) -> NodeOutcome:
        """End the work on a node whose connection was lost in the middle of it."""
        guarded = self.order.deadlines.guard
        self.held |= not guarded
        guard_note = "its guard will revert the change" if guarded else "no guard is set (--guard)"
        message = f"lost the connection while changing the node ({failure.message}); {guard_note}"
        final = Failure(failure.kind, Step.SETTLE, message, "run `fleet resume`", failure.evidence)
        lost_access = failure.kind.no_access
        return self.outcome(NodeStatus.NO_ACCESS if lost_access else NodeStatus.UNREACHABLE, final)


def _changed_since(path: str) -> Failure:
    """Return the failure of a confirmed change whose file was edited since."""
    message = f"{path} was edited after the change wrote it"
    remedy = "see who edited it with `fleet drift`, then run the command again"
    return Failure(FailureKind.STALE, Step.CONFIRM, message, remedy)
