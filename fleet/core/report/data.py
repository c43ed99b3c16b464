"""The data of a report, replayed from the journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from fleet.core.history.gate_data import gates_data
from fleet.core.history.replay import EntryKind, JournalEntry, RolloutHistory, replay_journal
from fleet.core.history.serialize import outcome_data, plan_data
from fleet.core.masking import Mark
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout.ending import rollout_ending
from fleet.core.selection.ranges import compress as fold_names

_STEPS = {
    NodeStatus.STAGING: "stage",
    NodeStatus.RUNNING: "activate",
    NodeStatus.CHECKING: "recheck",
    NodeStatus.REVERTING: "revert",
}


_PLANNED = ("strategy", "disruption", "role_evidence", "changes", "meaning", "unproven", "notes")


def planned_data(plans: Collection[NodePlan], mark: Mark) -> dict[str, Any]:
    """Return plans as journal data: nodes with equal plans are grouped, secrets are masked."""
    groups: dict[str, tuple[list[str], dict[str, Any]]] = {}
    group_of: dict[object, tuple[list[str], dict[str, Any]]] = {}
    for plan in plans:
        role = plan.availability.control_plane
        shown = (plan.strategy, plan.restart.cost, plan.pulls.unproven, plan.notes, role)
        identity = (id(plan.changes), *shown)
        # A diff is expensive, and similar nodes share their changes.
        if identity not in group_of:
            data = plan_data(plan, mark)
            about = {key: data[key] for key in _PLANNED}
            group_of[identity] = groups.setdefault(repr(about), ([], about))
        group_of[identity][0].append(plan.node.name)
    return {"plans": [{"nodes": names, **about} for names, about in groups.values()]}


def report_data(
    rollout: str, started: str, about: Mapping[str, Any], entries: Sequence[JournalEntry]
) -> dict[str, Any]:
    """Return all that is known of a rollout; times are seconds since it began."""
    history = replay_journal(about["batches"], entries)
    began, flags = _time(started), about.get("flags", {})
    steps = _steps(entries, began)
    nodes = {name: _node(name, history, steps) for name in history.state.nodes}
    return {
        "rollout": rollout,
        "kind": about["kind"],
        "status": history.status,
        "ending": rollout_ending(
            history.status, history.state.count(), flagged=bool(history.state.flagged)
        ),
        "reason": history.reason,
        "operator": about["operator"],
        "message": flags.get("message", ""),
        "undoes": flags.get("undoes"),
        "started": started,
        "ended": history.ended,
        "seconds": round(_time(history.ended) - began, 1) if history.ended else None,
        "files": about["files"],
        "flags": {key: value for key, value in flags.items() if key != "message"},
        "counts": dict(Counter(node["status"] for node in nodes.values())),
        "batches": _batches(about["batches"], entries, began),
        "nodes": nodes,
        "matrix": _matrix(nodes),
        "mirrors": _mirrors(nodes),
        "plans": _plans(entries),
        "gates": gates_data(history.gates),
    }


def _time(stamp: str | None) -> float:
    return datetime.fromisoformat(stamp).timestamp() if stamp else 0.0


def _node(
    name: str, history: RolloutHistory, steps: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    outcome = history.outcomes.get(name)
    data = outcome_data(outcome) if outcome else {}
    status = str(history.state.nodes[name].shown)
    return {**data, "status": status, "steps": steps.get(name, [])}


def _steps(entries: Iterable[JournalEntry], began: float) -> dict[str, list[dict[str, Any]]]:
    """Return the steps of each node, with their start and end in seconds."""
    steps: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry.node is None or entry.kind != EntryKind.MOVED:
            continue
        status, at = NodeStatus(entry.payload["status"]), round(_time(entry.at) - began, 2)
        node_steps = steps[entry.node]
        if node_steps and node_steps[-1]["ended"] is None:
            node_steps[-1] |= {"ended": at, "status": str(status)}
        if status in _STEPS:
            node_steps.append({"step": _STEPS[status], "began": at, "ended": None, "status": None})
    return steps


def _batches(
    batches: Sequence[Sequence[str]], entries: Iterable[JournalEntry], began: float
) -> list[dict[str, Any]]:
    starts = {
        entry.payload["number"]: round(_time(entry.at) - began, 2)
        for entry in entries
        if entry.kind == EntryKind.BATCH
    }
    return [
        {"number": number, "nodes": list(batch), "began": starts.get(number)}
        for number, batch in enumerate(batches, 1)
    ]


def _matrix(nodes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count nodes by strategy and release of containerd."""
    counts = Counter(
        (str(node.get("strategy") or "-"), str(node.get("containerd") or "-"), node["status"])
        for node in nodes.values()
    )
    return [
        {"strategy": strategy, "containerd": version, "status": status, "nodes": number}
        for (strategy, version, status), number in sorted(counts.items())
    ]


def _mirrors(nodes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the seconds of the verification pulls, by image and by mirror."""
    seconds: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    failed: Counter[tuple[str, str, str]] = Counter()
    for node in nodes.values():
        for pull in node.get("verified", ()):
            key = (pull["image"], pull["mirror"] or "unknown", pull["via"])
            seconds[key].append(pull["seconds"])
            failed[key] += not pull["ok"]
    return [
        {
            "image": image,
            "mirror": mirror,
            "via": via,
            "pulls": len(times),
            "failed": failed[image, mirror, via],
            "median": round(median(times), 2),
            "slowest": max(times),
        }
        for (image, mirror, via), times in sorted(seconds.items())
    ]


def _plans(entries: Iterable[JournalEntry]) -> list[dict[str, Any]]:
    """Return the newest plan of every node; nodes with the same plan are grouped."""
    latest: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind == EntryKind.PLANNED:
            for plan in entry.payload["plans"]:
                latest |= dict.fromkeys(plan["nodes"], plan)
    groups: dict[int, list[str]] = defaultdict(list)
    for name, plan in latest.items():
        groups[id(plan)].append(name)
    plans = {id(plan): plan for plan in latest.values()}
    return [
        {**plans[key], "nodes": names, "node_ranges": fold_names(names)}
        for key, names in groups.items()
    ]
