"""The command `fleet history`: rollouts, read from the journal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from fleet.cli.flags import journal_path
from fleet.cli.options import Settings
from fleet.cli.output.outcome import still_locked
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.replay import RolloutHistory
from fleet.core.history.serialize import outcome_data, read_outcome
from fleet.core.plan.pull_tests import unproven_text
from fleet.errors import FleetError, printable
from fleet.journal import Journal, RolloutRecord, is_there


def history(settings: Settings, rollout: str | None, node: str | None, journal: str | None) -> None:
    """Print all rollouts, or one rollout node by node, or all rollouts that changed one node."""
    path = journal_path(settings, journal)
    if rollout is None and not is_there(path):
        _print_all([], settings)
        return
    records = Journal(path, read_only=True)
    chosen = [records.rollout(rollout)] if rollout is not None else records.rollouts()
    with records.reading():
        told = [_one_data(each, records.replayed(each)) for each in chosen]
    holder = records.holder() or ""
    for each in told:
        if each["ended"] is None and each["rollout"] in holder:
            each["status"] = "running"
    if node is not None:
        told = [{**each, "nodes": _only(each["nodes"], node)} for each in told]
        told = [each for each in told if each["nodes"]]
    if rollout is not None:
        if not told:
            raise FleetError(f"rollout {rollout} had nothing to do with {node!r}")
        _print_one(told[0], settings)
    elif node is not None and not settings.as_json:
        _print_node(told, node, settings)
    else:
        _print_all(told, settings)


def _one_data(record: RolloutRecord, story: RolloutHistory) -> dict[str, Any]:
    """Return one rollout as data; one that never ended was interrupted."""
    nodes = {
        name: {"status": str(status.shown), "at": story.moved.get(name)}
        for name, status in story.state.nodes.items()
    }
    for name, outcome in story.outcomes.items():
        nodes[name] = {**outcome_data(outcome), **nodes[name]}
    return {
        "rollout": record.id,
        "kind": record.about["kind"],
        "started": record.started,
        "ended": story.ended,
        "status": story.status,
        "reason": story.reason,
        "operator": record.about["operator"],
        "files": record.about["files"],
        "batches": record.about["batches"],
        "nodes": nodes,
    }


def _only(nodes: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: nodes[name]} if name in nodes else {}


def _print_node(rollouts: list[dict[str, Any]], node: str, settings: Settings) -> None:
    """Print the rollouts of one node, with their operators and files."""
    if not rollouts:
        settings.say(f"the journal knows of nothing that was done to {node!r}")
        return
    rows = [
        (
            each["rollout"],
            each["kind"],
            str(each["nodes"][node]["at"] or each["started"])[:19],
            each["operator"],
            each["nodes"][node]["status"],
            str(each["nodes"][node].get("generation") or "-"),
            " ".join(f"{path} {(digest or 'missing')[:8]}" for path, digest in _files(each)),
        )
        for each in rollouts
    ]
    columns = ("ID", "KIND", "AT (UTC)", "BY", "STATUS", "GENERATION", "FILES, BY SHA-256")
    table(columns, rows, console(color=settings.color))


def _files(told: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(Path(path).name, digest) for path, digest in told["files"].items()]


def _counted(data: dict[str, Any]) -> str:
    counts = Counter(each["status"] for each in data["nodes"].values())
    held = sum(bool(each.get("held")) for each in data["nodes"].values())
    told = [f"{number} {status}" for status, number in sorted(counts.items())]
    return ", ".join([*told, f"{held} still locked"] if held else told)


def _print_all(rollouts: list[dict[str, Any]], settings: Settings) -> None:
    if settings.as_json:
        print_json({"rollouts": rollouts})
        return
    rows = [
        (each["rollout"], each["kind"], each["started"][:19], each["operator"], each["status"],
         _counted(each))
        for each in rollouts
    ]  # fmt: skip
    out = console(color=settings.color)
    table(("ID", "KIND", "STARTED (UTC)", "BY", "STATUS", "NODES"), rows, out)


def _print_one(data: dict[str, Any], settings: Settings) -> None:
    if settings.as_json:
        print_json(data)
        return
    out = console(color=settings.color)
    for key in ("rollout", "kind", "started", "ended", "operator", "status", "reason"):
        out.print(f"{key}: {printable(str(data[key] or '-'))}")
    for path, digest in data["files"].items():
        out.print(f"file: {path} sha256:{(digest or 'missing')[:12]}")
    rows = [
        (name, each["status"], str(each.get("strategy") or "-"), str(each.get("seconds") or "-"),
         (each.get("failure") or {}).get("message", ""))
        for name, each in data["nodes"].items()
    ]  # fmt: skip
    table(("NODE", "STATUS", "STRATEGY", "SECONDS", "FAILURE"), rows, out)
    outcomes = [read_outcome(name, each) for name, each in data["nodes"].items()]
    if silent := unproven_text({each.node: each.unproven for each in outcomes}):
        out.print(silent, style="yellow")
    if still := still_locked(outcomes, data["rollout"]):
        out.print(still, style="yellow")
