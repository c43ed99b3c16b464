"""The rollout locks of nodes: reading them, and breaking the lock of one rollout."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from fleet.actions.journaling import operator
from fleet.actions.session import Session
from fleet.core.failure import Failure
from fleet.core.history.rollout_ids import (
    UnknownRolloutError,
    ambiguous,
    find_ids,
    is_complete,
)
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.engine.workers.base import map_nodes
from fleet.errors import FleetError
from fleet.node import settle
from fleet.node.change_status import ChangeStatus
from fleet.node.settle import read_change_status
from fleet.node.work_order import WorkOrder

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def read_locks(nodes: Sequence[Node], session: Session) -> dict[str, ChangeStatus | Failure]:
    """Return the lock of each node, with its rollout, operator, purpose and time."""
    return _ask_nodes(nodes, session, "", read_change_status)


def unlock(
    nodes: Sequence[Node], rollout: str, session: Session
) -> dict[str, ChangeStatus | Failure]:
    """Break the lock of one rollout on nodes; revert its unconfirmed changes."""
    refuse_bad_id(rollout)
    return _ask_nodes(nodes, session, rollout, settle.unlock)


def locking_rollout(nodes: Sequence[Node], given: str, session: Session) -> str:
    """Return the whole ID of the rollout that `given` names among those that have locked nodes.

    A whole ID is returned as it is. So is `given` if some nodes did not answer: the release then
    reports why. Raise a FleetError if no lock fits, or several do.
    """
    if is_complete(given):
        return given
    results = read_locks(nodes, session).values()
    statuses = [result for result in results if isinstance(result, ChangeStatus)]
    names = {name for status in statuses for name in (*status.lock[:1], status.pending) if name}
    found = find_ids(given, sorted(names, reverse=True))
    if len(found) > 1:
        raise ambiguous(given, found)
    if not found and len(statuses) == len(results):
        raise UnknownRolloutError(
            f"no rollout {given!r} in the journal or in the locks of these nodes; `fleet locks`"
            " shows which rollout has locked a node"
        )
    return found[0] if found else given


def refuse_bad_id(rollout: str) -> None:
    """Raise a FleetError if a text cannot be the id of a rollout."""
    if not _ID.fullmatch(rollout):
        raise FleetError(
            f"{rollout!r} is not a rollout ID; `fleet locks` shows which rollout has locked a node"
        )


def _ask_nodes(
    nodes: Sequence[Node],
    session: Session,
    rollout: str,
    work: Callable[[WorkOrder], ChangeStatus | Failure],
) -> dict[str, ChangeStatus | Failure]:
    """Do `work` on nodes; return the results in the order of `nodes`."""
    access = session.ready(nodes).access
    orders = [
        WorkOrder(
            plan=NodePlan(node=node),
            rollout=rollout,
            operator=operator(),
            access=access,
            purpose="unlock",
        )
        for node in nodes
    ]
    results = {order.node.name: result for order, result in map_nodes(work, orders, session.pool)}
    return {node.name: results[node.name] for node in nodes}
