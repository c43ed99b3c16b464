"""Passes that read a node and change nothing: the probe, and the proof of what is there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from fleet.core.failure import Failure, NodeError
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.planner import NodePlan
from fleet.core.plan.pull_tests import PullTest
from fleet.node.order import Access, Deadlines
from fleet.node.probe import parse_probe, question
from fleet.node.proof import Wanted, prove
from fleet.node.talk import ask
from fleet.node.verify import Proof, refuse_unverified
from fleet.ssh import connect, kept


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """Read one node: `walk` asks for kept generations as well."""

    node: Node
    access: Access
    full_default: bool = False
    walk: str = ""


def probe(order: ProbeOrder) -> NodeFacts | Failure:
    """Read one node over one connection in one round trip; once more if that broke off."""
    found = _probed(order)
    broke = isinstance(found, Failure) and found.step == "run"
    return _probed(order) if broke else found


def _probed(order: ProbeOrder) -> NodeFacts | Failure:
    script = question(order.node, full_default=order.full_default, walk=order.walk)
    try:
        with kept(order.node, order.access.ssh, keep=order.access.keep) as remote:
            return parse_probe(ask(remote, script, order.access.on(order.node)))
    except NodeError as error:
        return error.failure


@dataclass(frozen=True, slots=True)
class VerifyOrder:
    """Prove one node as it is now."""

    plan: NodePlan
    access: Access
    tests: tuple[PullTest, ...]
    deadlines: Deadlines = field(default_factory=Deadlines)
    liveness: bool = True

    @property
    def node(self) -> Node:
        """Return the node that is to be proven."""
        return self.plan.node


def verify(order: VerifyOrder) -> NodeOutcome:
    """Pull the test images on one node and change nothing."""
    began = time.monotonic()
    plan = order.plan
    status, failure = NodeStatus.UNCHANGED, plan.failure
    proof = Proof((), None)
    try:
        if failure is None:
            with connect(plan.node, order.access.ssh) as remote:
                wanted = Wanted(plan, order.tests, order.deadlines, order.liveness)
                proof = prove(remote, wanted, order.access.on(plan.node))
                refuse_unverified(proof.verified)
    except NodeError as error:
        failure = error.failure
    if failure is not None:
        status = NodeStatus.UNREACHABLE if failure.kind.unreachable else NodeStatus.FAILED
    return NodeOutcome(
        node=plan.node.name,
        status=status,
        strategy=plan.strategy,
        containerd=plan.containerd,
        verified=proof.verified,
        liveness=proof.liveness,
        failure=failure,
        seconds=round(time.monotonic() - began, 2),
    )
