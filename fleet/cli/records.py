"""What was done: the journal, read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from fleet.cli import views
from fleet.cli.changing import journal_path
from fleet.cli.options import Settings
from fleet.errors import printable
from fleet.journal import Event, Journal, RolloutRecord


def history(settings: Settings, rollout: str | None, journal: str | None) -> None:
    """Print all rollouts, or one of them node by node."""
    path = journal_path(settings, journal)
    if not path.is_file() and rollout is None:
        _print_all([], settings)
        return
    records = Journal(path)
    if rollout is not None:
        _print_one(_one_data(records.rollout(rollout), records.events(rollout)), settings)
        return
    _print_all([_one_data(each, records.events(each.id)) for each in records.rollouts()], settings)


def _one_data(record: RolloutRecord, events: Iterable[Event]) -> dict[str, Any]:
    """Fold one rollout's events; one that never ended was interrupted."""
    nodes: dict[str, Any] = {}
    status, ended, reason = "interrupted", None, ""
    for event in events:
        if event.node is not None:
            nodes[event.node] = {**event.payload, "at": event.at}
        elif event.kind == "ended":
            status, reason = event.payload["status"], event.payload["reason"]
            ended = event.at
    named = (name for batch in record.about["batches"] for name in batch)
    pending = {name: {"status": "pending"} for name in named if name not in nodes}
    return {
        "rollout": record.id,
        "kind": record.about["kind"],
        "started": record.started,
        "ended": ended,
        "status": status,
        "reason": reason,
        "operator": record.about["operator"],
        "files": record.about["files"],
        "batches": record.about["batches"],
        "nodes": {**nodes, **pending},
    }


def _counted(data: dict[str, Any]) -> str:
    counts = Counter(each["status"] for each in data["nodes"].values())
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))


def _print_all(rollouts: list[dict[str, Any]], settings: Settings) -> None:
    if settings.as_json:
        views.print_json({"rollouts": rollouts})
        return
    rows = [
        (each["rollout"], each["kind"], each["started"][:19], each["operator"], each["status"],
         _counted(each))
        for each in rollouts
    ]  # fmt: skip
    out = views.console(color=settings.color)
    views.table(("ID", "KIND", "STARTED (UTC)", "BY", "STATUS", "NODES"), rows, out)


def _print_one(data: dict[str, Any], settings: Settings) -> None:
    if settings.as_json:
        views.print_json(data)
        return
    out = views.console(color=settings.color)
    for key in ("rollout", "kind", "started", "ended", "operator", "status", "reason"):
        out.print(f"{key}: {printable(str(data[key] or '-'))}")
    for path, digest in data["files"].items():
        out.print(f"file: {path} sha256:{(digest or 'missing')[:12]}")
    rows = [
        (name, each["status"], str(each.get("strategy") or "-"), str(each.get("seconds") or "-"),
         (each.get("failure") or {}).get("message", ""))
        for name, each in data["nodes"].items()
    ]  # fmt: skip
    views.table(("NODE", "STATUS", "STRATEGY", "SECONDS", "FAILURE"), rows, out)
