"""The command `fleet verify --self-contained`: a check that nodes can pull, without a registry."""

from __future__ import annotations

import secrets

from fleet.cli.options import Exit, Settings
from fleet.cli.prompts import ready
from fleet.cli.reading import show_verified
from fleet.config.load import load_inventory
from fleet.core.failure import Failure
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.node.verify.selftest import SelfTestOrder, self_test
from fleet.node.work_order import Access

_MOST = 16
"""Nodes that are tested at once: this one process serves them all."""


def self_contained(settings: Settings, access: Access, *, pool: WorkerPool, seconds: int) -> Exit:
    """Serve a tiny image to every node through its SSH connection, and make the node pull it."""
    nodes = settings.select(load_inventory(settings.inventory))
    access = ready(access, nodes)
    orders = [SelfTestOrder(node, access, secrets.token_hex(8), seconds) for node in nodes]
    outcomes: dict[str, NodeOutcome] = {}
    for order, answer in map_nodes(self_test, orders, pool, most=_MOST):
        outcomes[order.node.name] = _outcome(order, answer)
        if len(outcomes) % 50 == 0 or len(outcomes) == len(nodes):
            settings.say(f"self-test {len(outcomes)}/{len(nodes)}")
    ordered = [outcomes[node.name] for node in nodes]
    show_verified(ordered, settings)
    good = all(outcome.status is NodeStatus.UNCHANGED for outcome in ordered)
    return Exit.OK if good else Exit.FAILED


def _outcome(order: SelfTestOrder, answer: NodeOutcome | Failure) -> NodeOutcome:
    if isinstance(answer, Failure):
        return NodeOutcome(node=order.node.name, status=NodeStatus.FAILED, failure=answer)
    return answer
