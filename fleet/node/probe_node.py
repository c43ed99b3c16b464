"""The probe of one node over SSH."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.core.failure import Failure, NodeError, Step
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.node.probe import parse_probe, question
from fleet.node.run_script import run_script
from fleet.node.work_order import Access
from fleet.ssh import pooled_connection


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """The order to probe one node; `walk` requests saved generations as well."""

    node: Node
    access: Access
    full_default: bool = False
    walk: str = ""


def probe(order: ProbeOrder) -> NodeFacts | Failure:
    """Probe one node in one round trip; try once more if the connection broke."""
    result = _probe_once(order)
    interrupted = isinstance(result, Failure) and result.step is Step.RUN
    return _probe_once(order) if interrupted else result


def _probe_once(order: ProbeOrder) -> NodeFacts | Failure:
    script = question(order.node, full_default=order.full_default, walk=order.walk)
    try:
        with pooled_connection(
            order.node, order.access.ssh, keep=order.access.reuse_connection
        ) as remote:
            return parse_probe(run_script(remote, script, order.access.for_node(order.node)))
    except NodeError as error:
        return error.failure
