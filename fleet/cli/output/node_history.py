"""The history from the nodes' own audit logs as text and as data."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fleet.actions.node_history import NodeHistory
from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.styles import state_style
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.node_history import RolloutEntries
from fleet.core.history.serialize import failure_data
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

_BETWEEN_NAMES = re.compile(r",(?![^\[]*\])")
_MARGIN = 12
"""The column at which the nodes of a status begin."""


def show_node_history(history: NodeHistory, rollout: str | None, settings: Settings) -> None:
    """Print the rollouts that nodes have recorded, or the entries of one rollout."""
    if settings.as_json:
        print_json(_data(history))
        return
    out = console(color=settings.color)
    for entries in history.rollouts:
        _print_rollout(entries, out)
    if rollout is not None:
        _print_entries(history.rollouts[0], out)
    print_failures(history.failures.items(), out)
    for note in _notes(history):
        settings.say(note)


def _print_rollout(entries: RolloutEntries, out: Console) -> None:
    """Print who did what and when, then the nodes by how it ended there."""
    first, last = map(_shown_time, entries.span)
    who = ", ".join(entries.operators)
    out.print(printable(f"{entries.rollout}  {entries.kind or 'change'} by {who}"), style="bold")
    out.print(f"  {first} to {last}, by the nodes' clocks")
    if entries.message:
        out.print(printable(f"  {entries.message}"))
    for name, (kind, message) in entries.differing.items():
        text = f"  {name} has recorded something else: {kind}{message and f', {message}'}"
        out.print(printable(text), style="yellow")
    for value, names in _by_status(entries).items():
        status = value.replace("_", " ")
        head = f"  {status + ':':{_MARGIN}} "
        below = " " * len(head)
        text = _BETWEEN_NAMES.sub(", ", compress(names))
        lines = textwrap.wrap(
            text, max(out.width, 40), initial_indent=head, subsequent_indent=below
        )
        out.print("\n".join(lines).replace(", ", ","), style=state_style(status))


def _by_status(entries: RolloutEntries) -> Mapping[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, node in entries.nodes.items():
        names[node.status].append(name)
    return names


def _print_entries(entries: RolloutEntries, out: Console) -> None:
    rows = [
        (name, _shown_time(event.at), event.step, event.result, event.operator)
        for name, node in entries.nodes.items()
        for event in node.events
    ]
    table(("NODE", "AT (NODE'S CLOCK)", "STEP", "RESULT", "BY"), rows, out)


def _shown_time(at: str) -> str:
    return at.removesuffix("Z").replace("T", " ")


def _notes(history: NodeHistory) -> Iterator[str]:
    """Yield which parts of the logs were not read."""
    if not history.rollouts:
        yield "The nodes that could be read have no rollout in their audit logs."
    if history.unread:
        lines = counted(sum(history.unread.values()), "line")
        yield f"{compress(history.unread)}: {lines} skipped, not written by fleet"
    if history.cut:
        yield f"{compress(history.cut)}: only the newest part of a long audit log was read"


def _data(history: NodeHistory) -> dict[str, Any]:
    return {
        "rollouts": [_rollout_data(entries) for entries in history.rollouts],
        "failures": {name: failure_data(failure) for name, failure in history.failures.items()},
        "skipped_lines": dict(history.unread),
        "cut": list(history.cut),
    }


def _rollout_data(entries: RolloutEntries) -> dict[str, Any]:
    first, last = entries.span
    return {
        "rollout": entries.rollout,
        "kind": entries.kind or None,
        "operators": entries.operators,
        "message": entries.message,
        "clock": "node",
        "first": first,
        "last": last,
        "differing": {
            name: {"kind": kind, "message": message}
            for name, (kind, message) in entries.differing.items()
        },
        "nodes": {
            name: {
                "status": node.status,
                "at": node.events[-1].at,
                "entries": [
                    {
                        "at": event.at,
                        "step": event.step,
                        "result": event.result,
                        "operator": event.operator,
                        "message": event.message,
                    }
                    for event in node.events
                ],
            }
            for name, node in entries.nodes.items()
        },
    }
