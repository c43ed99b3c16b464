"""One node's pass from its connection to its outcome; reads like the runbook."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from fleet.core.facts import NodeFacts
from fleet.core.model import Node
from fleet.core.outcome import Failure, FailureKind, NodeError, NodeOutcome, NodeStatus, Verified
from fleet.core.plan import NodePlan, PullTest
from fleet.node.apply import Applied, apply_script, bundle, parse_applied, revert_script
from fleet.node.order import Access, Deadlines, WorkOrder
from fleet.node.probe import parse_probe, question
from fleet.node.shell import Privilege, Reply, Script, parse_reply
from fleet.node.verify import parse_verified, refuse_unverified, verify_script
from fleet.ssh import Remote, connect

_NET = 15
"""Seconds that the workstation waits beyond the deadline that the node itself keeps."""


def ask(remote: Remote, script: Script, privilege: Privilege) -> Reply:
    """Run one script on the node and read its records."""
    said = remote.run(
        script.line(privilege),
        stdin=script.stdin(privilege),
        seconds=script.seconds + _NET,
    )
    return parse_reply(script.name, said.code, said.stdout, said.stderr)


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """Read one node: `walk` asks for kept generations as well."""

    node: Node
    access: Access
    full_default: bool = False
    walk: str = ""


def probe(order: ProbeOrder) -> NodeFacts | Failure:
    """Read one node over one connection in one round trip."""
    script = question(order.node, full_default=order.full_default, walk=order.walk)
    try:
        with connect(order.node, order.access.ssh) as remote:
            return parse_probe(ask(remote, script, order.access.on(order.node)))
    except NodeError as error:
        return error.failure


@dataclass(slots=True)
class _Pass:
    """What one pass has come to so far; the status is read off it at the end."""

    order: WorkOrder
    began: float = field(default_factory=time.monotonic)
    applied: Applied | None = None
    verified: tuple[Verified, ...] = ()

    def outcome(self, status: NodeStatus, failure: Failure | None) -> NodeOutcome:
        plan = self.order.plan
        kept = status in {NodeStatus.CONVERGED, NodeStatus.DEGRADED}
        return NodeOutcome(
            node=plan.node.name,
            status=status,
            strategy=plan.strategy,
            containerd=plan.containerd,
            changed=status is NodeStatus.CONVERGED,
            restarted=self.applied.restarted if self.applied else False,
            generation=self.order.generation if kept else None,
            verified=self.verified,
            failure=failure,
            seconds=round(time.monotonic() - self.began, 2),
        )


def converge(order: WorkOrder) -> NodeOutcome:
    """Bring one node to its plan, or back to where it was."""
    work = _Pass(order)
    try:
        with connect(order.plan.node, order.access.ssh) as remote:
            return _carried_out(work, remote)
    except NodeError as error:
        return work.outcome(_interrupted(work, error.failure), error.failure)


def _interrupted(work: _Pass, failure: Failure) -> NodeStatus:
    """Name the state of a node whose pass broke off, and where it may be changed, go back."""
    if failure.step == "connect":
        return NodeStatus.UNREACHABLE
    if failure.step == "upload" or failure.kind is FailureKind.SUDO:
        return NodeStatus.FAILED
    return _settled(work.order)


def _settled(order: WorkOrder) -> NodeStatus:
    """Go back over new connections after one broke in mid-pass: the node itself knows the rest.

    While the node is still at it, it holds its lock; a pass that has taken itself back, or never
    began, has left no generation.
    """
    until = time.monotonic() + order.deadlines.apply
    while time.monotonic() < until:
        reverted = _try_revert(order)
        kind = reverted.failure.kind if reverted and reverted.failure else None
        if reverted is None or kind is FailureKind.LOCKED:
            time.sleep(2)
        elif kind is FailureKind.NO_GENERATION:
            return NodeStatus.FAILED
        else:
            return reverted.status
    return NodeStatus.DEGRADED


def _try_revert(order: WorkOrder) -> Applied | None:
    node = order.plan.node
    try:
        with connect(node, order.access.ssh) as remote:
            reply = ask(remote, revert_script(order), order.access.on(node))
            return parse_applied(reply, order)
    except NodeError:
        return None


def _carried_out(work: _Pass, remote: Remote) -> NodeOutcome:
    order = work.order
    privilege = order.access.on(order.plan.node)
    packed = bundle(order)
    spool = f"/tmp/fleet-{secrets.token_hex(8)}"  # noqa: S108 - made by us alone, mode 0700
    remote.put(packed.content, spool, "bundle")
    reply = ask(remote, apply_script(order, spool, packed), privilege)
    work.applied = parse_applied(reply, order)
    if work.applied.status is not NodeStatus.CONVERGED:
        return work.outcome(work.applied.status, work.applied.failure)
    try:
        _prove(work, remote, privilege)
    except NodeError as error:
        if error.failure.kind in {FailureKind.CONNECT, FailureKind.TIMEOUT}:
            raise
        return _taken_back(work, remote, privilege, error.failure)
    return work.outcome(NodeStatus.CONVERGED, None)


def _prove(work: _Pass, remote: Remote, privilege: Privilege) -> None:
    order = work.order
    tests = order.plan.tests if order.verify else ()
    restarted = work.applied is not None and work.applied.restarted
    if not tests and not restarted:
        return
    script = verify_script(order.plan, order.deadlines, tests=tests, applied=work.applied)
    reply = ask(remote, script, privilege)
    work.verified = parse_verified(reply)
    refuse_unverified(reply, work.verified)


def _taken_back(work: _Pass, remote: Remote, privilege: Privilege, failure: Failure) -> NodeOutcome:
    """Restore the generation after a failed proof; the node checks its health again."""
    reply = ask(remote, revert_script(work.order), privilege)
    reverted = parse_applied(reply, work.order)
    if reverted.status is NodeStatus.ROLLED_BACK:
        return work.outcome(NodeStatus.ROLLED_BACK, failure)
    return work.outcome(NodeStatus.DEGRADED, reverted.failure or failure)


@dataclass(frozen=True, slots=True)
class VerifyOrder:
    """Prove one node as it is now."""

    plan: NodePlan
    access: Access
    tests: tuple[PullTest, ...]
    deadlines: Deadlines = field(default_factory=Deadlines)


def verify(order: VerifyOrder) -> NodeOutcome:
    """Pull the test images on one node and change nothing."""
    began = time.monotonic()
    plan = order.plan
    status, failure = NodeStatus.UNCHANGED, plan.failure
    verified: tuple[Verified, ...] = ()
    try:
        if failure is None:
            with connect(plan.node, order.access.ssh) as remote:
                script = verify_script(plan, order.deadlines, tests=order.tests, applied=None)
                reply = ask(remote, script, order.access.on(plan.node))
                verified = parse_verified(reply)
                refuse_unverified(reply, verified)
    except NodeError as error:
        failure = error.failure
    if failure is not None:
        status = NodeStatus.UNREACHABLE if failure.kind.unreachable else NodeStatus.FAILED
    return NodeOutcome(
        node=plan.node.name,
        status=status,
        strategy=plan.strategy,
        containerd=plan.containerd,
        verified=verified,
        failure=failure,
        seconds=round(time.monotonic() - began, 2),
    )
