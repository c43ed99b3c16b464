"""Past rollouts from the journal, and the report of one rollout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from fleet.actions.options import RolloutOptions
from fleet.core.history.gate_data import gates_data
from fleet.core.history.replay import RolloutHistory
from fleet.core.history.serialize import outcome_data
from fleet.core.masking import clean_data
from fleet.core.report.data import report_data
from fleet.core.rollout.ending import rollout_ending
from fleet.errors import FleetError
from fleet.journal import Journal, RolloutRecord, is_there


def past_rollouts(
    path: Path, rollout: str | None = None, node: str | None = None
) -> list[dict[str, Any]]:
    """Return rollouts as data, the newest first: all, or only the one that `rollout` names.

    `node` limits them to rollouts of this node, and their nodes to this one. Raise a FleetError if
    that rollout did not include the node.
    """
    if rollout is None and not is_there(path):
        return []
    journal = Journal(path, read_only=True)
    records = [journal.rollout(rollout)] if rollout is not None else journal.rollouts()
    with journal.reading():
        rollouts = [_rollout_data(record, journal.replayed(record)) for record in records]
    holder = journal.holder() or ""
    for data in rollouts:
        if data["ended"] is None and data["rollout"] in holder:
            data["status"] = data["ending"] = "running"
    if node is not None:
        rollouts = [{**data, "nodes": _only_node(data["nodes"], node)} for data in rollouts]
        rollouts = [data for data in rollouts if data["nodes"]]
    if rollout is not None and not rollouts:
        raise FleetError(f"rollout {journal.rollout(rollout).id} did not include node {node!r}")
    return rollouts


def _rollout_data(record: RolloutRecord, replayed: RolloutHistory) -> dict[str, Any]:
    """Return one rollout as data; without an entry of its end, it counts as interrupted."""
    nodes = {
        name: {"status": str(status.shown), "at": replayed.moved.get(name)}
        for name, status in replayed.state.nodes.items()
    }
    for name, outcome in replayed.outcomes.items():
        nodes[name] = {**outcome_data(outcome), **nodes[name]}
    return {
        "rollout": record.id,
        "kind": record.about["kind"],
        "started": record.started,
        "ended": replayed.ended,
        "status": str(replayed.status),
        "ending": str(
            rollout_ending(
                replayed.status, replayed.state.count(), flagged=bool(replayed.state.flagged)
            )
        ),
        "reason": replayed.reason,
        "operator": record.about["operator"],
        "message": record.about.get("flags", {}).get("message", ""),
        "undoes": record.about.get("flags", {}).get("undoes"),
        "files": record.about["files"],
        "batches": record.about["batches"],
        "nodes": nodes,
        "gates": gates_data(replayed.gates),
    }


def _only_node(nodes: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: nodes[name]} if name in nodes else {}


def report_of(path: Path, rollout: str) -> dict[str, Any]:
    """Return the report of a rollout as data without secrets; it needs an existing journal."""
    if not is_there(path):
        raise FleetError(f"{path}: no such journal. Use another file with --journal FILE")
    journal = Journal(path, read_only=True)
    record = journal.rollout(rollout)
    entries = journal.entries(record.id)
    with journal.reading():
        data = report_data(record.id, record.started, record.about, entries)
        data["given_flags"] = _given_flags(data["flags"])
        return cast("dict[str, Any]", clean_data(data))


def _given_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags of a rollout that differ from the defaults of this release."""
    defaults = RolloutOptions().data()
    return {
        key: value for key, value in flags.items() if value not in (None, "", defaults.get(key))
    }
