"""Drift as text and as data: files on nodes that are not as fleet left them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.states import state_counts
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.serialize import failure_data
from fleet.core.plan.drift import DriftedFile
from fleet.core.plan.state import node_state
from fleet.core.selection.ranges import compress
from fleet.engine.survey import NodeSurvey


def show_drift(
    examined: Sequence[tuple[NodeSurvey, tuple[DriftedFile, ...]]], settings: Settings
) -> None:
    """Print every file that is not as fleet left it, and which tool seems to have written it."""
    surveys = [result for result, _ in examined]
    rows = {result.node.name: files for result, files in examined}
    if settings.as_json:
        print_json({"nodes": {result.node.name: _data(result, rows) for result in surveys}})
    else:
        _print(surveys, rows, settings)


def _data(result: NodeSurvey, rows: dict[str, tuple[DriftedFile, ...]]) -> dict[str, Any]:
    return {
        "state": str(node_state(result.facts, result.plan)),
        "generation": result.facts.state.generation if result.facts else None,
        "files": [
            {
                "path": file.path,
                "drift": str(file.drift),
                "author": file.author,
                "changed_at": _time(file.changed_at),
                "rollout": file.rollout,
                "diff": file.diff,
            }
            for file in rows[result.node.name]
        ],
        "failure": failure_data(result.plan.failure),
    }


def _time(stamp: int | None) -> str | None:
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M:%S") if stamp else None


def _print(
    surveys: Sequence[NodeSurvey], rows: dict[str, tuple[DriftedFile, ...]], settings: Settings
) -> None:
    """Print nodes with the same drift together."""
    out = console(color=settings.color)
    groups: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for name, files in rows.items():
        key = tuple(
            (str(file.drift), file.path, file.author, file.rollout, _time(file.changed_at) or "-")
            for file in files
        )
        groups.setdefault(key, []).append(name)
    lines = [(compress(names), *row) for row_set, names in groups.items() for row in row_set]
    if lines:
        columns = ("NODES", "DRIFT", "FILE", "LOOKS LIKE", "A ROLLOUT", "CHANGED (NODE'S CLOCK)")
        table(columns, lines, out, settings.hidden("A ROLLOUT", "CHANGED (NODE'S CLOCK)"))
    unread = (result for result in surveys if result.facts is None)
    print_failures(
        ((result.node.name, result.plan.failure) for result in unread if result.plan.failure), out
    )
    states = [node_state(result.facts, result.plan) for result in surveys]
    out.print(state_counts(states), style="bold")
    if lines:
        out.print(
            "`fleet diff` shows what a rollout would write: --adopt takes files over and keeps"
            " their bytes, --keep leaves them, --overwrite removes the extra ones as well."
        )
