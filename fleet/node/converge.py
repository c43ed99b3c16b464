"""One node's convergence, from the staged change to the confirmed one, in the runbook's order."""

from __future__ import annotations

import time
from functools import partial

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus, unworked_status
from fleet.node.activate import Applied, Ending, parse_applied
from fleet.node.bundle import Bundle, activate_script, bundle
from fleet.node.change_status import ChangeState, ChangeStatus, SettleEnding
from fleet.node.cri import client as cri
from fleet.node.progress import enter, progress_listener
from fleet.node.read_back import refuse_other_files
from fleet.node.removal import finish_removal, remove_fleet
from fleet.node.result import ConvergeResult, status_after
from fleet.node.run_script import run_script
from fleet.node.settle import SettleMode, settle, settle_with_retries
from fleet.node.stage import upload_and_check
from fleet.node.verify.evidence import refuse_not_reading, refuse_unverified
from fleet.node.verify.pull import VerifyRequest, run_verification
from fleet.node.work_order import WorkOrder
from fleet.ssh import Remote, connect, pooled_connection


def converge(order: WorkOrder) -> NodeOutcome:
    """Bring one node to its plan and confirm it, or restore its former state."""
    work = ConvergeResult(order)
    if order.plan.removes and not order.plan.changes:
        return remove_fleet(work)
    return finish_removal(work, _converge_with_retry(work))


def _converge_with_retry(work: ConvergeResult) -> NodeOutcome:
    outcome = _try_to_converge(work)
    if outcome.status is NodeStatus.STAGED:  # the connection broke before the node began
        outcome = _try_to_converge(work)
    return _release_node(work, outcome.failure) if outcome.status is NodeStatus.STAGED else outcome


def _try_to_converge(work: ConvergeResult) -> NodeOutcome:
    order = work.order
    try:
        with pooled_connection(order.node, order.access.ssh, keep=False) as remote:
            outcome = _activate_change(work, remote) or _verify_change(work, remote)
    except NodeError as error:
        return _handle_broken_connection(work, error.failure)
    return outcome or _confirm_change(work)


def _release_node(work: ConvergeResult, failure: Failure | None) -> NodeOutcome:
    """Release a node whose connections break before it begins."""
    try:
        settle_with_retries(work.order, SettleMode.RELEASE, work.order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    return work.outcome(NodeStatus.FAILED, failure)


def continue_converge(work: ConvergeResult) -> NodeOutcome:
    """Verify and confirm an active change after its earlier work was interrupted."""
    order = work.order
    work.restarted = order.restarts
    try:
        with connect(order.plan.node, order.access.ssh) as remote:
            outcome = _verify_change(work, remote)
    except NodeError as error:
        return revert_change(work, error.failure)
    return outcome or _confirm_change(work)


def revert_change(work: ConvergeResult, failure: Failure | None) -> NodeOutcome:
    """Revert a change that could not be verified or confirmed; wait for the node if necessary."""
    enter(work.order.node.name, Step.REVERT)
    try:
        change = settle_with_retries(work.order, SettleMode.REVERT, work.order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    return _revert_outcome(work, change, failure)


def _revert_outcome(
    work: ConvergeResult, change: ChangeStatus, failure: Failure | None
) -> NodeOutcome:
    work.unhealthy, work.held = change.unhealthy, change.held
    match change.ending:
        case SettleEnding.ROLLED_BACK:
            return work.outcome(NodeStatus.ROLLED_BACK, failure)
        case SettleEnding.NOT_PENDING:
            return work.standing(change, failure)
        case SettleEnding.UNSETTLED:
            return work.unsettled(failure)
        case (
            SettleEnding.LOOKED
            | SettleEnding.CONFIRMED
            | SettleEnding.DEGRADED
            | SettleEnding.RELEASED
            | SettleEnding.NOT_OURS
            | SettleEnding.REMOVED
            | SettleEnding.FAILED
        ):
            return work.outcome(NodeStatus.DEGRADED, change.failure or failure)


def _activate_change(work: ConvergeResult, remote: Remote) -> NodeOutcome | None:
    """Activate the staged change; return an outcome if it is not in force afterwards, else None."""
    order = work.order
    packed = bundle(order)
    applied = _run_activation(order, remote, packed)
    if applied.ending is Ending.UNSTAGED:  # the node has rebooted since it was staged
        applied = upload_and_check(order, remote, packed)
        if applied.ending is Ending.STAGED:
            applied = _run_activation(order, remote, packed)
    work.restarted = applied.restarted
    work.liveness = applied.liveness
    work.unhealthy, work.held = applied.unhealthy, applied.held
    if applied.ending is Ending.SWAPPED:
        return None
    if applied.ending is Ending.UNSETTLED:
        return work.unsettled(applied.failure)
    status = status_after(applied.ending)
    if status is NodeStatus.ROLLED_BACK and _is_stale(applied.failure):
        status = NodeStatus.STALE  # the daemon has not read the edited file, which is back
    return work.outcome(status, applied.failure)


def _is_stale(failure: Failure | None) -> bool:
    return failure is not None and failure.kind is FailureKind.STALE


def _run_activation(order: WorkOrder, remote: Remote, packed: Bundle) -> Applied:
    listener = progress_listener(order.node.name)
    reply = run_script(
        remote, activate_script(order, packed), order.access.for_node(order.node), listener
    )
    return parse_applied(reply, order)


def _verify_change(work: ConvergeResult, remote: Remote) -> NodeOutcome | None:
    """Pull the test images; return an outcome if the change was reverted for them, else None."""
    order, plan = work.order, work.order.plan
    tests = plan.pulls.tests if order.verify else ()
    check_liveness = work.liveness is None and asked_from_here(order)
    if not tests and not check_liveness and plan.config.generated is None:
        return None
    request = VerifyRequest(plan, tests, order.deadlines, order.liveness, work.liveness)
    privilege = order.access.for_node(plan.node)
    try:
        refuse_other_files(remote, plan, privilege)
        if not tests and not check_liveness:
            return None
        enter(plan.node.name, Step.VERIFY)
        reply = run_verification(remote, request, privilege)
        work.verified, work.liveness = reply.verified, reply.liveness
        refuse_not_reading(plan, work.liveness)
        refuse_unverified(work.verified)
    except NodeError as error:
        if error.failure.kind in {FailureKind.CONNECT, FailureKind.TIMEOUT}:
            raise
        return _revert_outcome(work, settle(order, SettleMode.REVERT, remote), error.failure)
    return None


def asked_from_here(order: WorkOrder) -> bool:
    """Return whether liveness is checked by CRI from the workstation: the node has no crictl."""
    plan = order.plan
    return (
        order.liveness and bool(plan.liveness_folder) and not plan.daemon.crictl and cri.available()
    )


def _confirm_change(work: ConvergeResult) -> NodeOutcome:
    """Soak after a restart, then check health over a new connection and disarm the guard."""
    if work.restarted:
        enter(work.order.node.name, Step.SOAK)
        time.sleep(work.order.deadlines.soak)
    return check_gates(work, SettleMode.CONFIRM)


def check_gates(work: ConvergeResult, mode: SettleMode) -> NodeOutcome:
    """Check the node's health once more, to confirm or to recheck; revert the change on failure."""
    order = work.order
    enter(order.node.name, Step.RECHECK if mode is SettleMode.RECHECK else Step.CONFIRM)
    first = partial(_check_liveness, work) if asked_from_here(order) else None
    try:
        change = settle_with_retries(order, mode, order.deadlines.lost, first)
    except NodeError as error:
        if error.failure.kind is FailureKind.HEALTH:
            return revert_change(work, error.failure)
        return work.connection_lost(error.failure)
    work.liveness = change.liveness or work.liveness
    return _gate_outcome(work, mode, change)


def _gate_outcome(work: ConvergeResult, mode: SettleMode, change: ChangeStatus) -> NodeOutcome:
    work.unhealthy = change.unhealthy
    if change.ending is SettleEnding.CONFIRMED:
        return work.outcome(NodeStatus.CONVERGED)
    if change.state is not None and change.state.undone:
        return revert_change(work, _REVERT_INTERRUPTED)
    if change.ending is SettleEnding.NOT_PENDING:
        return work.standing(change, report_undo(change))
    if mode is SettleMode.RECHECK and _is_stale(change.failure):
        return work.outcome(NodeStatus.STALE, change.failure)  # the node works; the edit is new
    return revert_change(work, change.failure)


_REVERT_INTERRUPTED = Failure(
    FailureKind.GUARD,
    Step.CONFIRM,
    "the node was reverting the change and was stopped midway",
    "find what stopped it with `journalctl -k` on the node, then run the command again",
)


def _check_liveness(work: ConvergeResult, remote: Remote) -> None:
    """Check liveness by CRI; raise a NodeError if the daemon does not read its hosts directory."""
    order = work.order
    request = VerifyRequest(order.plan, (), order.deadlines)
    work.liveness = run_verification(remote, request, order.access.for_node(order.node)).liveness
    refuse_not_reading(order.plan, work.liveness)


def _handle_broken_connection(work: ConvergeResult, failure: Failure) -> NodeOutcome:
    """End the work after its connection broke, by the state that the node itself reports."""
    away = failure.step is Step.CONNECT
    if away or failure.kind is FailureKind.SUDO:
        work.held = True  # the node was staged before, and not contacted since
        return work.outcome(unworked_status(failure.kind), failure)
    try:
        change = settle_with_retries(work.order, SettleMode.LOOK, work.order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    match change.state:
        case ChangeState.SWAPPED:
            return continue_converge(work)
        case ChangeState.ARMED | ChangeState.REVERTING:
            return revert_change(work, failure)
        case ChangeState.UNTOUCHED:
            return work.outcome(NodeStatus.STAGED, failure)
        case (
            ChangeState.CONFIRMED
            | ChangeState.RESTORED
            | ChangeState.UNWELL
            | ChangeState.APPLYING
            | None
        ):
            return work.standing(change, failure)


def report_undo(change: ChangeStatus) -> Failure | None:
    """Return the failure that explains why a change was undone; None if it is confirmed."""
    if change.state is ChangeState.CONFIRMED:
        return None
    reasons = {
        "timer": (
            "the change was not confirmed in time, so the node reverted it",
            "run the command again with a larger --guard",
        ),
        "boot": (
            "the node rebooted before fleet confirmed the change, and reverted it",
            "run the command again",
        ),
        "failed": (
            "the change failed on the node, which reverted it",
            "find the reason in the log of its containerd (`journalctl`)",
        ),
    }
    asked = (
        "the change was reverted before fleet could confirm it (`fleet unlock`, or the guard)",
        "run the command again",
    )
    return Failure(FailureKind.GUARD, Step.CONFIRM, *reasons.get(change.reason or "", asked))
