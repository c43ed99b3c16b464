"""The history of rollouts from the audit logs of the nodes, whichever journal they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.actions.session import Session
from fleet.core.failure import Failure
from fleet.core.history.audit import AuditLog, with_known_ids
from fleet.core.history.node_history import RolloutEntries, merge_logs
from fleet.core.history.rollout_ids import UnknownRolloutError, ambiguous, find_ids
from fleet.core.model.node import Node
from fleet.engine.workers.base import map_nodes
from fleet.errors import FleetError
from fleet.node.audit_log import AuditOrder, read_audit_log


@dataclass(frozen=True, slots=True)
class NodeHistory:
    """The rollouts that nodes have recorded, the newest first, and the nodes without an answer."""

    rollouts: Sequence[RolloutEntries]
    failures: Mapping[str, Failure]
    unread: Mapping[str, int]
    """The number of lines that are not entries, by the name of a node that has any."""
    cut: Sequence[str]
    """The nodes with older entries, which were not read."""


def read_history(
    nodes: Sequence[Node], session: Session, rollout: str | None = None, node: str | None = None
) -> NodeHistory:
    """Read the audit logs of nodes, or only that of `node`; select one rollout if it is named.

    Raise a FleetError if `node` is not among the nodes, or if no log has that rollout.
    """
    chosen = [each for each in nodes if node in {None, each.name}]
    if node is not None and not chosen:
        raise FleetError(f"no node {node!r} among those that were selected")
    results = _read_logs(chosen, session)
    now = datetime.now(UTC)
    logs = {
        name: with_known_ids(log, now) for name, log in results.items() if isinstance(log, AuditLog)
    }
    rollouts = merge_logs(logs, now)
    return NodeHistory(
        rollouts if rollout is None else [_find(rollout, rollouts)],
        {name: log for name, log in results.items() if isinstance(log, Failure)},
        {name: log.unread for name, log in logs.items() if log.unread},
        [name for name, log in logs.items() if log.cut],
    )


def _read_logs(nodes: Sequence[Node], session: Session) -> dict[str, AuditLog | Failure]:
    """Read the logs; return them in the order of `nodes`."""
    access = session.ready(nodes).access
    orders = [AuditOrder(node, access) for node in nodes]
    read = {order.node.name: log for order, log in map_nodes(read_audit_log, orders, session.pool)}
    return {node.name: read[node.name] for node in nodes}


def _find(given: str, rollouts: Sequence[RolloutEntries]) -> RolloutEntries:
    """Return the rollout that a user names by its ID, by `last` or by a unique prefix."""
    known = {entries.rollout: entries for entries in rollouts}
    names = find_ids(given, list(known))
    if not names:
        raise UnknownRolloutError(f"no rollout {given!r} in the audit logs that could be read")
    if len(names) > 1:
        raise ambiguous(given, [f"{name}  {known[name].kind or 'change'}" for name in names])
    return known[names[0]]
