"""The locks of nodes as text and as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.cli.options import Settings
from fleet.cli.output.failures import failure_line, print_failures
from fleet.cli.output.tables import console, print_json, table
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.node.change_status import ChangeStatus, SettleEnding

_Result = ChangeStatus | Failure


def show_locks(results: Mapping[str, _Result], settings: Settings) -> None:
    """Print the lock of each node: its rollout, operator, purpose and time."""
    rows = {name: _lock_data(result) for name, result in results.items()}
    if settings.as_json:
        print_json({"nodes": rows})
        return
    lines = [
        (name, *(str(row[key] or "-") for key in ("rollout", "purpose", "by", "since")),
         str(row["description"] or ""))
        for name, row in rows.items()
        if isinstance(results[name], ChangeStatus)
    ]  # fmt: skip
    columns = ("NODE", "ROLLOUT", "FOR", "BY", "SINCE (NODE'S CLOCK)", "NOTE")
    out = console(color=settings.color)
    table(columns, lines, out, settings.hidden("BY"))
    failures = ((name, it) for name, it in results.items() if isinstance(it, Failure))
    print_failures(failures, out)


def _lock_data(result: _Result) -> dict[str, Any]:
    if isinstance(result, Failure):
        nothing = dict.fromkeys(("rollout", "by", "purpose", "since"))
        return {**nothing, "description": result.message, "failure": failure_data(result)}
    lines = dict(zip(("rollout", "by", "purpose", "since"), result.lock, strict=False))
    return {
        "rollout": lines.get("rollout") or result.pending or None,
        "by": lines.get("by"),
        "purpose": lines.get("purpose"),
        "since": lines.get("since"),
        "description": result.lock_holder or None,
        "failure": None,
    }


def show_unlocked(results: Mapping[str, _Result], rollout: str, settings: Settings) -> None:
    """Print for each node whether the lock of the rollout was released, or why not."""
    texts = {name: _unlock_text(result) for name, result in results.items()}
    if settings.as_json:
        nodes = {name: {"ended": text} for name, text in texts.items()}
        print_json({"rollout": rollout, "nodes": nodes})
    else:
        table(("NODE", "UNLOCK"), list(texts.items()), console(color=settings.color))


def _unlock_text(result: _Result) -> str:
    if isinstance(result, Failure):
        return failure_line(result)
    if result.ending is SettleEnding.NOT_OURS:
        return f"left alone: {result.lock_holder}"
    return failure_line(result.failure) if result.failure else str(result.ending)
