"""The commands `fleet lock` and `fleet unlock`: locks of nodes, shown and broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fleet.cli.flags import operator
from fleet.cli.options import Exit, Settings
from fleet.cli.output.tables import console, print_json, table
from fleet.cli.prompts import ready
from fleet.config.load import load_inventory
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.plan.node_plan import NodePlan
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.node.settle import ChangeStatus, read_change_status, unlock
from fleet.node.work_order import Access, WorkOrder

_Answer = ChangeStatus | Failure


def lock(settings: Settings, access: Access, *, pool: WorkerPool) -> Exit:
    """Print the lock of each node: its rollout, operator, purpose and time."""
    answers = dict(_ask_nodes(settings, access, "", read_change_status, pool))
    rows = {name: _lock_data(answer) for name, answer in answers.items()}
    if settings.as_json:
        print_json({"nodes": rows})
    else:
        lines = [
            (name, *(str(row[key] or "-") for key in ("rollout", "purpose", "by", "since")),
             str(row["told"] or ""))
            for name, row in rows.items()
        ]  # fmt: skip
        columns = ("NODE", "ROLLOUT", "FOR", "BY", "SINCE (NODE'S CLOCK)", "NOTE")
        table(columns, lines, console(color=settings.color))
    return (
        Exit.FAILED if any(isinstance(answer, Failure) for answer in answers.values()) else Exit.OK
    )


def _lock_data(answer: _Answer) -> dict[str, Any]:
    if isinstance(answer, Failure):
        nothing = dict.fromkeys(("rollout", "by", "purpose", "since"))
        return {**nothing, "told": answer.message, "failure": failure_data(answer)}
    lines = dict(zip(("rollout", "by", "purpose", "since"), answer.lock, strict=False))
    return {
        "rollout": lines.get("rollout") or answer.pending or None,
        "by": lines.get("by"),
        "purpose": lines.get("purpose"),
        "since": lines.get("since"),
        "told": answer.held_by or None,
        "failure": None,
    }


def break_lock(settings: Settings, access: Access, rollout: str, *, pool: WorkerPool) -> Exit:
    """Break the lock of one rollout on the chosen nodes; revert its unconfirmed changes."""
    answers = dict(_ask_nodes(settings, access, rollout, unlock, pool))
    results = {name: _unlock_text(answer) for name, answer in answers.items()}
    if settings.as_json:
        print_json(
            {
                "rollout": rollout,
                "nodes": {name: {"ended": result} for name, result in results.items()},
            }
        )
    else:
        rows = list(results.items())
        table(("NODE", "UNLOCK"), rows, console(color=settings.color))
    good = all(
        isinstance(answer, ChangeStatus) and answer.ended == "released"
        for answer in answers.values()
    )
    return Exit.OK if good else Exit.FAILED


def _unlock_text(answer: _Answer) -> str:
    if isinstance(answer, Failure):
        return answer.message
    if answer.ended == "not_ours":
        return f"left alone: {answer.held_by}"
    return answer.failure.message if answer.failure else answer.ended


def _ask_nodes(
    settings: Settings,
    access: Access,
    rollout: str,
    work: Callable[[WorkOrder], _Answer],
    pool: WorkerPool,
) -> Iterator[tuple[str, _Answer]]:
    """Do `work` on the chosen nodes; return the answers in inventory order."""
    nodes = settings.select(load_inventory(settings.inventory))
    access = ready(access, nodes)
    orders = [
        WorkOrder(plan=NodePlan(node=node), rollout=rollout, operator=operator(), access=access)
        for node in nodes
    ]
    answers = {order.plan.node.name: answer for order, answer in map_nodes(work, orders, pool)}
    return ((node.name, answers[node.name]) for node in nodes)
