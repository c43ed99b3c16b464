"""The audit log of one node, read over SSH."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.core.failure import Failure, NodeError, Step
from fleet.core.history.audit import READ_LIMIT, AuditLog, parse_audit_log
from fleet.core.model.node import Node
from fleet.node.run_script import run_script
from fleet.node.script import Reply, Script, decode_field
from fleet.node.work_order import Access
from fleet.ssh import connect

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """The order to read the audit log of one node."""

    node: Node
    access: Access


def read_audit_log(order: AuditOrder) -> AuditLog | Failure:
    """Read the newest part of a node's audit log in one round trip; change nothing."""
    script = Script(Step.AUDIT, {"LIMIT": str(READ_LIMIT)}, _SECONDS)
    try:
        with connect(order.node, order.access.ssh) as remote:
            return _parse(run_script(remote, script, order.access.for_node(order.node)))
    except NodeError as error:
        return error.failure


def _parse(reply: Reply) -> AuditLog:
    """Parse the reply; a node that fleet never changed has no log."""
    content = b"".join(decode_field(field) for field, *_ in reply.all("log"))
    return parse_audit_log(content)
