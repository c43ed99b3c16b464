"""One node's convergence, from the staged change to the confirmed one, in the runbook's order."""

from __future__ import annotations

import time
from functools import partial

from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.activate import Applied, Ending, parse_applied
from fleet.node.bundle import Bundle, activate_script, bundle
from fleet.node.cri import client as cri
from fleet.node.progress import enter, progress_listener
from fleet.node.result import ENDED, ConvergeResult
from fleet.node.run_script import run_script
from fleet.node.settle import UNDONE, ChangeStatus, settle, settle_with_retries
from fleet.node.stage import upload_and_check
from fleet.node.verify.evidence import refuse_not_reading, refuse_unverified
from fleet.node.verify.pull import VerifyRequest, run_verification
from fleet.node.work_order import WorkOrder
from fleet.ssh import Remote, connect, pooled_connection


def converge(order: WorkOrder) -> NodeOutcome:
    """Bring one node to its plan and confirm it, or restore its former state."""
    work = ConvergeResult(order)
    ended = _tried(work)
    if ended.status is NodeStatus.STAGED:  # the connection broke before the node began
        ended = _tried(work)
    return _given_up(work, ended.failure) if ended.status is NodeStatus.STAGED else ended


def _tried(work: ConvergeResult) -> NodeOutcome:
    order = work.order
    try:
        with pooled_connection(order.node, order.access.ssh, keep=False) as remote:
            ended = _changed(work, remote) or _proven(work, remote)
    except NodeError as error:
        return _broken_off(work, error.failure)
    return ended or _confirmed(work)


def _given_up(work: ConvergeResult, failure: Failure | None) -> NodeOutcome:
    """Release a node whose connections break before it begins."""
    try:
        settle_with_retries(work.order, "release", work.order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    return work.outcome(NodeStatus.FAILED, failure)


def continue_converge(work: ConvergeResult) -> NodeOutcome:
    """Verify and confirm an active change after its earlier work was interrupted."""
    order = work.order
    work.restarted = order.restarts
    try:
        with connect(order.plan.node, order.access.ssh) as remote:
            ended = _proven(work, remote)
    except NodeError as error:
        return revert_change(work, error.failure)
    return ended or _confirmed(work)


def revert_change(work: ConvergeResult, failure: Failure | None) -> NodeOutcome:
    """Revert a change that could not be verified or confirmed; wait for the node if necessary."""
    enter(work.order.node.name, "revert")
    try:
        found = settle_with_retries(work.order, "revert", work.order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    return _back(work, found, failure)


def _back(work: ConvergeResult, found: ChangeStatus, failure: Failure | None) -> NodeOutcome:
    work.ill, work.held = found.ill, found.held
    if found.ended == "rolled_back":
        return work.outcome(NodeStatus.ROLLED_BACK, failure)
    if found.ended == "not_pending":
        return work.standing(found, failure)
    if found.ended == "unsettled":
        return work.unsettled(failure)
    return work.outcome(NodeStatus.DEGRADED, found.failure or failure)


def _changed(work: ConvergeResult, remote: Remote) -> NodeOutcome | None:
    """Activate the staged change; return an outcome if it is not in force afterwards, else None."""
    order = work.order
    packed = bundle(order)
    applied = _activated(order, remote, packed)
    if applied.ending is Ending.UNSTAGED:  # the node has rebooted since it was staged
        applied = upload_and_check(order, remote, packed)
        if applied.ending is Ending.STAGED:
            applied = _activated(order, remote, packed)
    work.restarted = applied.restarted
    work.liveness = applied.liveness
    work.ill, work.held = applied.ill, applied.held
    if applied.ending is Ending.SWAPPED:
        return None
    if applied.ending is Ending.UNSETTLED:
        return work.unsettled(applied.failure)
    status = ENDED[applied.ending]
    if status is NodeStatus.ROLLED_BACK and _is_stale(applied.failure):
        status = NodeStatus.STALE  # the daemon has not read the edited file, which is back
    return work.outcome(status, applied.failure)


def _is_stale(failure: Failure | None) -> bool:
    return failure is not None and failure.kind is FailureKind.STALE


def _activated(order: WorkOrder, remote: Remote, packed: Bundle) -> Applied:
    heard = progress_listener(order.node.name)
    reply = run_script(
        remote, activate_script(order, packed), order.access.for_node(order.node), heard
    )
    return parse_applied(reply, order)


def _proven(work: ConvergeResult, remote: Remote) -> NodeOutcome | None:
    """Pull the test images; return an outcome if the change was reverted for them, else None."""
    order, plan = work.order, work.order.plan
    tests = plan.tests if order.verify else ()
    unasked = work.liveness is None and asked_from_here(order)
    if not tests and not unasked:
        return None
    wanted = VerifyRequest(plan, tests, order.deadlines, order.liveness, work.liveness)
    enter(plan.node.name, "verify")
    try:
        proof = run_verification(remote, wanted, order.access.for_node(plan.node))
        work.verified, work.liveness = proof.verified, proof.liveness
        refuse_not_reading(plan, work.liveness)
        refuse_unverified(work.verified)
    except NodeError as error:
        if error.failure.kind in {FailureKind.CONNECT, FailureKind.TIMEOUT}:
            raise
        return _back(work, settle(order, "revert", remote), error.failure)
    return None


def asked_from_here(order: WorkOrder) -> bool:
    """Return whether liveness is checked by CRI from the workstation: the node has no crictl."""
    plan = order.plan
    return order.liveness and bool(plan.asked_folder) and not plan.crictl and cri.available()


def _confirmed(work: ConvergeResult) -> NodeOutcome:
    """Soak after a restart, then check health over a new connection and disarm the guard."""
    if work.restarted:
        enter(work.order.node.name, "soak")
        time.sleep(work.order.deadlines.soak)
    return check_gates(work, "confirm")


def check_gates(work: ConvergeResult, mode: str) -> NodeOutcome:
    """Check the node's health once more, to confirm or to recheck; revert the change on failure."""
    order = work.order
    enter(order.node.name, mode)
    first = partial(_listening, work) if asked_from_here(order) else None
    try:
        found = settle_with_retries(order, mode, order.deadlines.lost, first)
    except NodeError as error:
        if error.failure.kind is FailureKind.HEALTH:
            return revert_change(work, error.failure)
        return work.connection_lost(error.failure)
    work.liveness = found.liveness or work.liveness
    return _gated(work, mode, found)


def _gated(work: ConvergeResult, mode: str, found: ChangeStatus) -> NodeOutcome:
    work.ill = found.ill
    if found.ended == "confirmed":
        return work.outcome(NodeStatus.CONVERGED)
    if found.state in UNDONE:
        return revert_change(work, _HALF_WAY)
    if found.ended == "not_pending":
        return work.standing(found, report_undo(found))
    if mode == "recheck" and _is_stale(found.failure):
        return work.outcome(NodeStatus.STALE, found.failure)  # the node works; the edit is new
    return revert_change(work, found.failure)


_HALF_WAY = Failure(
    FailureKind.GUARD,
    "confirm",
    "a way back had begun on the node and was ended before its end; look for what ended it"
    " (journalctl -k), then roll out again",
)


def _listening(work: ConvergeResult, remote: Remote) -> None:
    """Check liveness by CRI; raise a NodeError if the daemon does not read its hosts directory."""
    order = work.order
    wanted = VerifyRequest(order.plan, (), order.deadlines)
    work.liveness = run_verification(remote, wanted, order.access.for_node(order.node)).liveness
    refuse_not_reading(order.plan, work.liveness)


def _broken_off(work: ConvergeResult, failure: Failure) -> NodeOutcome:
    """End the work after its connection broke, by the state that the node itself reports."""
    away = failure.step == "connect"
    if away or failure.kind is FailureKind.SUDO:
        work.held = True  # the node was staged before, and not contacted since
        return work.outcome(NodeStatus.UNREACHABLE if away else NodeStatus.FAILED, failure)
    try:
        found = settle_with_retries(work.order, "look", work.order.deadlines.lost)
    except NodeError as error:
        return work.connection_lost(error.failure)
    match found.state:
        case "swapped":
            return continue_converge(work)
        case "armed" | "reverting":
            return revert_change(work, failure)
        case "untouched":
            return work.outcome(NodeStatus.STAGED, failure)
        case _:
            return work.standing(found, failure)


def report_undo(found: ChangeStatus) -> Failure | None:
    """Return the failure that explains why a change was undone; None if it is confirmed."""
    if found.state == "confirmed":
        return None
    why = {
        "timer": "nobody confirmed the change in time, so the node took it back; give more --guard",
        "boot": "the node rebooted unconfirmed, and so took the change back; roll out again",
        "failed": "the change failed on the node, which took it back; look into its daemon's log",
    }
    message = why.get(found.reason, "somebody took the change back unconfirmed; roll out again")
    return Failure(FailureKind.GUARD, "confirm", message)
