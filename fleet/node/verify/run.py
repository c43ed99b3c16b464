"""The verification of a node as it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from fleet.core.failure import NodeError
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus, unworked_status
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.pull_tests import PullTest
from fleet.node.verify.evidence import VerifyReply, refuse_unverified
from fleet.node.verify.pull import PodPuller, VerifyRequest, run_verification
from fleet.node.work_order import Access, Deadlines
from fleet.ssh import connect


@dataclass(frozen=True, slots=True)
class VerifyOrder:
    """The order to verify one node as it is now."""

    plan: NodePlan
    access: Access
    tests: tuple[PullTest, ...]
    deadlines: Deadlines = field(default_factory=Deadlines)
    liveness: bool = True
    pods: PodPuller | None = None
    """Makes the node's kubelet pull, for pods; work with it cannot leave this process."""

    @property
    def node(self) -> Node:
        """Return the node to verify."""
        return self.plan.node


def verify(order: VerifyOrder) -> NodeOutcome:
    """Pull the test images on one node and change nothing."""
    began = time.monotonic()
    plan = order.plan
    status, failure = NodeStatus.UNCHANGED, plan.failure
    reply = VerifyReply((), None)
    try:
        if failure is None:
            with connect(plan.node, order.access.ssh) as remote:
                request = VerifyRequest(
                    plan, order.tests, order.deadlines, order.liveness, pods=order.pods
                )
                reply = run_verification(remote, request, order.access.for_node(plan.node))
                refuse_unverified(reply.verified)
    except NodeError as error:
        failure = error.failure
    if failure is not None:
        status = unworked_status(failure.kind)
    return NodeOutcome(
        node=plan.node.name,
        status=status,
        strategy=plan.strategy,
        containerd=plan.containerd,
        verified=reply.verified,
        liveness=reply.liveness,
        failure=failure,
        seconds=round(time.monotonic() - began, 2),
    )
