"""Staging: the change laid ready on a node and judged by its own containerd, nothing in force."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.activate import Applied, Ending, parse_applied
from fleet.node.bundle import Bundle, bundle, stage_script
from fleet.node.effective import refuse_ineffective
from fleet.node.progress import enter, progress_listener
from fleet.node.result import ENDED, ConvergeResult
from fleet.node.run_script import run_script
from fleet.node.settle import settle_with_retries
from fleet.node.work_order import WorkOrder
from fleet.ssh import Remote, pooled_connection

_TRIES = 2
"""How often a staging that broke off in the middle is tried: it changes nothing, so it may be."""
_PATIENCE = 30
"""Seconds to wait for a node that went away while its change was staged."""


def stage(order: WorkOrder) -> NodeOutcome:
    """Upload the change of one node and let its containerd judge it; it is held from here on."""
    work = ConvergeResult(order)
    packed = bundle(order)
    failure = None
    for _ in range(_TRIES):
        try:
            with pooled_connection(
                order.node, order.access.ssh, keep=order.access.reuse_connection
            ) as remote:
                applied = upload_and_check(order, remote, packed)
            return work.outcome(ENDED[applied.ending], applied.failure)
        except NodeError as error:
            failure = error.failure
        work.held |= failure.step != "connect" and failure.kind is not FailureKind.SUDO
        if failure.step == "connect" or failure.kind not in {
            FailureKind.CONNECT,
            FailureKind.TIMEOUT,
        }:
            break
    return _not_staged(work, failure)


def upload_and_check(order: WorkOrder, remote: Remote, packed: Bundle) -> Applied:
    """Upload the bundle and let the node's own containerd judge it."""
    name = order.node.name
    enter(name, "upload")
    script = stage_script(order, packed)
    reply = run_script(remote, script, order.access.for_node(order.node), progress_listener(name))
    applied = parse_applied(reply, order)
    if applied.ending is Ending.STAGED and reply.has("registry"):
        refuse_ineffective(order.plan, reply.value("registry"))
    return applied


def _not_staged(work: ConvergeResult, failure: Failure | None) -> NodeOutcome:
    """End a staging that broke off; the node is untouched, but may be held."""
    if failure is not None and failure.step == "connect":
        return work.outcome(NodeStatus.UNREACHABLE, failure)
    if work.held:
        freed = release(work.order)
        work.held = freed.held
        if freed.failure is not None and freed.failure.kind.unreachable:
            return work.outcome(NodeStatus.UNREACHABLE, failure)
    return work.outcome(NodeStatus.FAILED, failure)


def release_once(order: WorkOrder) -> NodeOutcome:
    """Release a node as `release` does, without waiting for an unreachable one."""
    return release(order, patience=0)


def release(order: WorkOrder, patience: float = _PATIENCE) -> NodeOutcome:
    """Take the rollout's lock off a node that will not be changed, and what was staged there."""
    work = ConvergeResult(order)
    try:
        found = settle_with_retries(order, "release", patience)
    except NodeError as error:
        work.held = True
        message = (
            f"{error.failure.message}; the node stays held: `fleet unlock {order.rollout}` frees it"
        )
        told = Failure(error.failure.kind, "release", message, error.failure.evidence)
        return work.outcome(NodeStatus.PENDING, told)
    work.held = found.ended not in {"released", "not_ours"}
    return work.outcome(NodeStatus.PENDING, found.failure)
