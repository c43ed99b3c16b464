"""Staging: a change is uploaded and validated by the node's own containerd, and not in force."""

from __future__ import annotations

from fleet.core.containerd.registry_settings import difference
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus, unworked_status
from fleet.core.model.version import parse_version
from fleet.core.plan.node_plan import NodePlan
from fleet.core.text.documents import DocumentError, parse_toml
from fleet.node.activate import Applied, Ending, parse_applied
from fleet.node.bundle import Bundle, bundle, stage_script
from fleet.node.change_status import SettleEnding
from fleet.node.progress import enter, progress_listener
from fleet.node.result import ConvergeResult, status_after
from fleet.node.run_script import run_script
from fleet.node.settle import SettleMode, settle_with_retries
from fleet.node.work_order import WorkOrder
from fleet.ssh import Remote, pooled_connection

_TRIES = 2
"""Tries of a staging whose connection breaks; it changes nothing, so it may be repeated."""
_PATIENCE = 30
"""Seconds to wait for a node that became unreachable while its change was staged."""


def stage(order: WorkOrder) -> NodeOutcome:
    """Upload one node's change and validate it with its containerd; lock the node from then on."""
    work = ConvergeResult(order)
    if not order.plan.changes:  # to remove fleet's own files alone needs no staging
        return work.outcome(NodeStatus.STAGED)
    packed = bundle(order)
    failure = None
    for _ in range(_TRIES):
        try:
            with pooled_connection(
                order.node, order.access.ssh, keep=order.access.reuse_connection
            ) as remote:
                applied = upload_and_check(order, remote, packed)
            return work.outcome(status_after(applied.ending), applied.failure)
        except NodeError as error:
            failure = error.failure
        work.held |= failure.step is not Step.CONNECT and not failure.kind.no_access
        if failure.step is Step.CONNECT or failure.kind not in {
            FailureKind.CONNECT,
            FailureKind.TIMEOUT,
        }:
            break
    return _failed_staging(work, failure)


def upload_and_check(order: WorkOrder, remote: Remote, packed: Bundle) -> Applied:
    """Upload the bundle and validate it with the node's own containerd."""
    name = order.node.name
    enter(name, Step.UPLOAD)
    script = stage_script(order, packed)
    reply = run_script(remote, script, order.access.for_node(order.node), progress_listener(name))
    applied = parse_applied(reply, order)
    if applied.ending is Ending.STAGED and reply.has("registry"):
        refuse_ineffective(order.plan, reply.value("registry"))
    return applied


def _failed_staging(work: ConvergeResult, failure: Failure | None) -> NodeOutcome:
    """End a staging that was interrupted; the node is unchanged, but may be locked."""
    if failure is not None and (failure.step is Step.CONNECT or failure.kind.no_access):
        return work.outcome(unworked_status(failure.kind), failure)
    if work.held:
        released = release(work.order)
        work.held = released.held
        if released.failure is not None and released.failure.kind.unreachable:
            return work.outcome(NodeStatus.UNREACHABLE, failure)
    return work.outcome(NodeStatus.FAILED, failure)


def release_once(order: WorkOrder) -> NodeOutcome:
    """Release a node as `release` does, without waiting for an unreachable one."""
    return release(order, patience=0)


def release(order: WorkOrder, patience: float = _PATIENCE) -> NodeOutcome:
    """Release a node that will not be changed: remove the rollout's lock and the staged files."""
    work = ConvergeResult(order)
    try:
        change = settle_with_retries(order, SettleMode.RELEASE, patience)
    except NodeError as error:
        work.held = True
        message = f"{error.failure.message}; the node is still locked"
        remedy = f"unlock it with `fleet unlock {order.rollout}`"
        failure = Failure(error.failure.kind, Step.RELEASE, message, remedy, error.failure.evidence)
        return work.outcome(NodeStatus.PENDING, failure)
    work.held = change.ending not in {SettleEnding.RELEASED, SettleEnding.NOT_OURS}
    return work.outcome(NodeStatus.PENDING, change.failure)


def refuse_ineffective(plan: NodePlan, tables: str) -> None:
    """Raise a NodeError unless the new dump has the desired registry settings."""
    version = parse_version(plan.containerd or "")
    if plan.rollback or plan.config.intended_registry is None or version is None:
        return
    try:
        effective = effective_registry(parse_toml(tables))
    except DocumentError as error:
        message = f"the registry tables of `{plan.daemon.binary} config dump` cannot be parsed"
        remedy = (
            f"write {plan.config.path} with `fleet render --out DIR`, copy it to the node, and run"
            " that command with it"
        )
        raise NodeError(FailureKind.VALIDATE, Step.VALIDATE, message, remedy) from error
    names = difference(version, plan.config.intended_registry, effective)
    if names:
        message = (
            f"the new {plan.config.path} would not take full effect: containerd {plan.containerd}"
            f" reads {names} from another table or an imported file"
        )
        remedy = "put CRI's registry settings into one table by hand"
        raise NodeError(FailureKind.VALIDATE, Step.VALIDATE, message, remedy)
