"""One node's pass from its connection to its outcome; reads like the runbook."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from fleet.core.outcome import Failure, FailureKind, NodeError, NodeOutcome, NodeStatus, Verified
from fleet.node.apply import (
    Applied,
    Bundle,
    Ending,
    activate_script,
    bundle,
    parse_applied,
    stage_script,
)
from fleet.node.order import WorkOrder
from fleet.node.settle import Standing, settle, settle_patiently
from fleet.node.talk import ask
from fleet.node.verify import parse_verified, refuse_unverified, verify_script
from fleet.ssh import Remote, connect

_STATUS = {
    Ending.FAILED: NodeStatus.FAILED,
    Ending.UNSTAGED: NodeStatus.FAILED,
    Ending.ROLLED_BACK: NodeStatus.ROLLED_BACK,
    Ending.DEGRADED: NodeStatus.DEGRADED,
}
_SETTLED = {
    "confirmed": NodeStatus.CONVERGED,
    "restored": NodeStatus.ROLLED_BACK,
    "unwell": NodeStatus.DEGRADED,
    "untouched": NodeStatus.FAILED,
}


@dataclass(slots=True)
class _Pass:
    """What one pass has come to so far; the status is read off it at the end."""

    order: WorkOrder
    began: float = field(default_factory=time.monotonic)
    swapped: bool = False
    restarted: bool = False
    verified: tuple[Verified, ...] = ()

    def outcome(self, status: NodeStatus, failure: Failure | None = None) -> NodeOutcome:
        plan = self.order.plan
        kept = status in {NodeStatus.CONVERGED, NodeStatus.DEGRADED}
        if failure is not None and failure.kind is FailureKind.STALE:
            status = NodeStatus.STALE if status is NodeStatus.FAILED else status
        return NodeOutcome(
            node=plan.node.name,
            status=status,
            strategy=plan.strategy,
            containerd=plan.containerd,
            changed=status is NodeStatus.CONVERGED,
            restarted=self.restarted,
            generation=self.order.rollout if kept else None,
            verified=self.verified,
            failure=failure,
            seconds=round(time.monotonic() - self.began, 2),
        )


def converge(order: WorkOrder) -> NodeOutcome:
    """Bring one node to its plan and confirm it, or back to where it was."""
    work = _Pass(order)
    try:
        with connect(order.plan.node, order.access.ssh) as remote:
            ended = _changed(work, remote) or _proven(work, remote)
    except NodeError as error:
        return _settled(work, error.failure)
    return ended or _confirmed(work)


def _changed(work: _Pass, remote: Remote) -> NodeOutcome | None:
    """Stage and activate; return the outcome of a change that is not in force."""
    order = work.order
    packed = bundle(order)
    staged = _staged(order, remote, packed)
    applied = staged
    if staged.ending is Ending.STAGED:
        reply = ask(remote, activate_script(order, packed), order.access.on(order.plan.node))
        applied = parse_applied(reply, order)
    work.restarted = applied.restarted
    if applied.ending is Ending.SWAPPED:
        work.swapped = True
        return None
    return work.outcome(_STATUS[applied.ending], applied.failure)


def _staged(order: WorkOrder, remote: Remote, packed: Bundle) -> Applied:
    """Upload the bundle and let the node's own containerd judge it."""
    # The folder is made by us alone, mode 0700.
    spool = f"/tmp/fleet-{order.rollout}-{secrets.token_hex(8)}"  # noqa: S108
    remote.put(packed.content, spool, "bundle")
    script = stage_script(order, spool, packed)
    return parse_applied(ask(remote, script, order.access.on(order.plan.node)), order)


def _proven(work: _Pass, remote: Remote) -> NodeOutcome | None:
    """Pull the test images; return the outcome of a change that was taken back for it."""
    order = work.order
    if not (order.verify and order.plan.tests):
        return None
    script = verify_script(order.plan, order.deadlines, tests=order.plan.tests)
    try:
        reply = ask(remote, script, order.access.on(order.plan.node))
        work.verified = parse_verified(reply)
        refuse_unverified(work.verified)
    except NodeError as error:
        if error.failure.kind in {FailureKind.CONNECT, FailureKind.TIMEOUT}:
            raise
        return _taken_back(work, settle(order, "revert", remote), error.failure)
    return None


def _confirmed(work: _Pass) -> NodeOutcome:
    """Ask for health once more after the soak, over a new connection, and disarm the guard."""
    order = work.order
    time.sleep(order.deadlines.soak if work.restarted else 0)
    try:
        found = settle_patiently(order, "confirm", order.deadlines.lost)
    except NodeError as error:
        return work.outcome(NodeStatus.UNREACHABLE, _lost(error.failure))
    if found.ended == "confirmed":
        return work.outcome(NodeStatus.CONVERGED)
    if found.ended == "not_pending":
        return work.outcome(_SETTLED.get(found.state, NodeStatus.DEGRADED), _undone(found))
    return _reverted(work, found.failure)


def _reverted(work: _Pass, failure: Failure | None) -> NodeOutcome:
    """Take a change back that could not be confirmed."""
    try:
        found = settle_patiently(work.order, "revert", work.order.deadlines.lost)
    except NodeError as error:
        return work.outcome(NodeStatus.UNREACHABLE, _lost(error.failure))
    return _taken_back(work, found, failure)


def _taken_back(work: _Pass, found: Standing, failure: Failure | None) -> NodeOutcome:
    if found.ended == "rolled_back":
        return work.outcome(NodeStatus.ROLLED_BACK, failure)
    if found.ended == "not_pending":
        status = _SETTLED.get(found.state, NodeStatus.DEGRADED)
        return work.outcome(status, None if status is NodeStatus.CONVERGED else failure)
    return work.outcome(NodeStatus.DEGRADED, found.failure or failure)


def _settled(work: _Pass, failure: Failure) -> NodeOutcome:
    """Name the end of a pass that broke off; where the node may be changed, find out from it."""
    if failure.step == "connect":
        return work.outcome(NodeStatus.UNREACHABLE, failure)
    if failure.step == "upload" or failure.kind is FailureKind.SUDO:
        return work.outcome(NodeStatus.FAILED, failure)
    order = work.order
    try:
        found = settle_patiently(order, "look", order.deadlines.lost)
        if found.state in {"armed", "swapped"}:
            return _reverted(work, failure)
        if found.state == "untouched":
            settle_patiently(order, "release", order.deadlines.lost)
    except NodeError as error:
        return work.outcome(NodeStatus.UNREACHABLE, _lost(error.failure))
    status = _SETTLED.get(found.state, NodeStatus.DEGRADED)
    return work.outcome(status, None if status is NodeStatus.CONVERGED else failure)


def _lost(failure: Failure) -> Failure:
    """Say what becomes of a node that went away in mid-pass."""
    message = f"lost in mid-pass ({failure.message}); its guard takes the change back by itself"
    return Failure(failure.kind, "settle", message, failure.evidence)


def _undone(found: Standing) -> Failure | None:
    """Say why a change that was in force no longer is."""
    if found.state == "confirmed":
        return None
    why = {
        "timer": "nobody confirmed the change in time (--guard), so the node took it back",
        "boot": "the node was rebooted before the change was confirmed, and took it back",
    }
    message = why.get(found.why, "the change was taken back before it was confirmed")
    return Failure(FailureKind.GUARD, "confirm", message)
