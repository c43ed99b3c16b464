"""The command `fleet drift`: files on nodes that are not as fleet left them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fleet.cli.flags import fingerprints
from fleet.cli.options import Exit, RenderOptions, Settings
from fleet.cli.output.tables import console, print_json, table
from fleet.cli.reading import surveyed
from fleet.core.history.serialize import failure_data, unread_state
from fleet.core.plan.drift import DriftedFile, find_drift
from fleet.core.selection.ranges import compress
from fleet.engine.survey import Surveyed, examine
from fleet.engine.workers.base import WorkerPool
from fleet.errors import printable
from fleet.node.work_order import Access


def drift(settings: Settings, access: Access, *, crew: WorkerPool, taste: RenderOptions) -> Exit:
    """Print every file that is not as fleet left it, and which tool seems to have written it."""
    found = surveyed(settings, settings.load(), access, crew=crew, taste=taste)
    mark = fingerprints(settings)
    told = [examine(each, lambda facts, plan: find_drift(facts, plan, mark)) for each in found]
    found = [each for each, _ in told]
    rows = {each.node.name: files or () for each, files in told}
    if settings.as_json:
        print_json({"nodes": {each.node.name: _data(each, rows) for each in found}})
    else:
        _print(found, rows, settings)
    if any(each.facts is None for each in found):
        return Exit.FAILED
    return Exit.DIFFERENT if any(rows.values()) else Exit.OK


def _data(each: Surveyed, rows: dict[str, tuple[DriftedFile, ...]]) -> dict[str, Any]:
    return {
        "state": _state(each, rows[each.node.name]),
        "generation": each.facts.state.generation if each.facts else None,
        "files": [
            {
                "path": one.path,
                "drift": str(one.drift),
                "hand": one.author,
                "changed_at": _time(one.changed_at),
                "rollout": one.rollout,
                "diff": one.diff,
            }
            for one in rows[each.node.name]
        ],
        "failure": failure_data(each.plan.failure),
    }


def _state(each: Surveyed, rows: Sequence[DriftedFile]) -> str:
    if each.facts is None:
        return unread_state(each.plan.failure)
    if not each.facts.state.files:
        return "unmanaged"
    return "drifted" if rows else "as fleet left it"


def _time(stamp: int | None) -> str | None:
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M:%S") if stamp else None


def _print(
    found: Sequence[Surveyed], rows: dict[str, tuple[DriftedFile, ...]], settings: Settings
) -> None:
    """Print nodes with the same drift together."""
    out = console(color=settings.color)
    groups: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for name, mine in rows.items():
        key = tuple(
            (str(one.drift), one.path, one.author, one.rollout, _time(one.changed_at) or "-")
            for one in mine
        )
        groups.setdefault(key, []).append(name)
    lines = [(compress(names), *row) for row_set, names in groups.items() for row in row_set]
    if lines:
        columns = ("NODES", "DRIFT", "FILE", "LOOKS LIKE", "A ROLLOUT", "CHANGED (NODE'S CLOCK)")
        table(columns, lines, out)
    counts: dict[str, int] = {}
    for each in found:
        state = _state(each, rows[each.node.name])
        counts[state] = counts.get(state, 0) + 1
        if each.facts is None and each.plan.failure is not None:
            text = f"{each.node.name}: {printable(each.plan.failure.message)}"
            out.print(text, style="red")
    out.print(", ".join(f"{number} {state}" for state, number in counts.items()), style="bold")
    if lines:
        out.print(
            "`fleet diff` shows what a rollout would write: --adopt takes files over and keeps"
            " their bytes, --keep leaves them, --overwrite removes the extra ones as well."
        )
