"""The console, tables, and plans folded by equal diffs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import click

from fleet.core.failure import Failure
from fleet.core.masking import Mark, clean_data, without_logins
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.change import Action, Disruption
from fleet.core.model.finding import Finding, Verdict
from fleet.core.plan.planner import NodePlan
from fleet.core.selection.ranges import fold
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(clean_data(data), indent=2, ensure_ascii=True))


class _WithoutLogins:
    """A stream that removes the logins from URLs in all text."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(without_logins(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(*, color: bool, stderr: bool = False) -> Console:
    """Return a console that honours --no-color, and uses none away from a terminal."""
    from rich.console import Console  # noqa: PLC0415 - rich costs `--help` nothing

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        width=None if stream.isatty() else 200,
        file=cast("IO[str]", _WithoutLogins(stream)),
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def print_plans(plans: Sequence[NodePlan], out: Console, mark: Mark) -> None:
    """Print the diffs, one for each group of nodes that share it, then a closing count."""
    for group in _folded(plans):
        _print_group(group, out, mark)
    out.print(closing_count(plans), style="bold")
    silent = dict.fromkeys(name for plan in plans for name in plan.unproven)
    if silent:
        names = ", ".join(map(printable, silent))
        out.print(f"Without a `verify` in mirrors.yaml, so no pull proves them: {names}.")
    out.print(legend(plans), style="dim")


def _folded(plans: Iterable[NodePlan]) -> list[list[NodePlan]]:
    groups: dict[object, list[NodePlan]] = {}
    for plan in plans:
        changes = tuple((c.path, c.before, c.after) for c in plan.changes)
        key = (
            plan.strategy, changes, plan.disruption, plan.notes, plan.failure, plan.findings,
            plan.availability.control_plane,
        )  # fmt: skip
        groups.setdefault(key, []).append(plan)
    return list(groups.values())


_SYMBOLS = {
    "~": "changes",
    "=": "stays as it is",
    "?": "cannot be reached",
    "!": "cannot be planned",
}


def symbol(plan: NodePlan) -> str:
    """Return the sign that a node's plan stands under."""
    if plan.failure is not None:
        return "?" if plan.failure.kind.unreachable else "!"
    return "~" if plan.changes else "="


def legend(plans: Iterable[NodePlan]) -> str:
    """Explain the symbols that are in use, and no other."""
    used = {symbol(plan) for plan in plans}
    told = [f"{sign} {meaning}" for sign, meaning in _SYMBOLS.items() if sign in used]
    return "  ".join([*told, "files: + new  ~ changed  - removed"] if "~" in used else told)


def _print_group(group: list[NodePlan], out: Console, mark: Mark) -> None:
    first = group[0]
    names = fold(plan.node.name for plan in group)
    versions = ", ".join(sorted({plan.containerd or "containerd unknown" for plan in group}))
    head = f"{names} ({len(group)})  {versions}  {first.strategy or 'no strategy'}"
    if evidence := first.availability.control_plane:
        head += f"  control plane ({printable(', '.join(evidence))})"
    if first.failure is not None:
        out.print(f"{symbol(first)} {head}", style="red")
        _print_failure(first.failure, out)
    elif not first.changes:
        out.print(f"= {head}  no change", style="green")
    else:
        cost = "restart" if first.disruption is Disruption.RESTART else "no restart"
        out.print(f"~ {head}  {cost}  {_counts([first])}", style="bold")
    for note in first.notes:
        out.print(f"    note: {printable(note)}", style="yellow")
    for finding in first.findings:
        out.print(f"    {finding_line(finding)}", style=finding_style(finding))
    for change in first.changes:
        for line in unified_diff(change, mark).split("\n"):
            out.print(f"    {line}", style=_line_style(line))


def finding_line(finding: Finding) -> str:
    """Say a conflict in one line, with what becomes of it."""
    return f"conflict ({finding.verdict}): {printable(str(finding))}"


def finding_style(finding: Finding) -> str:
    """Color a conflict by how grave it is."""
    return "red" if finding.kills or finding.verdict is Verdict.REFUSES else "yellow"


def _line_style(line: str) -> str:
    if line.startswith(("---", "+++")):
        return "bold"
    styles = {"+": "green", "-": "red", "@": "cyan"}
    return styles.get(line[:1], "default")


def _print_failure(failure: Failure, out: Console) -> None:
    out.print(f"    {failure.kind} at {failure.step}: {printable(failure.message)}", style="red")
    for line in printable(failure.evidence).splitlines()[-8:]:
        out.print(f"      | {line}", style="dim")


def _counts(plans: Iterable[NodePlan]) -> str:
    actions = [change.action for plan in plans for change in plan.changes]
    signs = (("+", Action.CREATE), ("~", Action.UPDATE), ("-", Action.DELETE))
    return " ".join(f"{sign}{actions.count(action)}" for sign, action in signs)


def closing_count(plans: Sequence[NodePlan]) -> str:
    """Count what a plan does, in one line."""
    good = [plan for plan in plans if plan.failure is None]
    changing = [plan for plan in good if plan.changes]
    restarts = sum(plan.disruption is Disruption.RESTART for plan in changing)
    failed = [plan for plan in plans if plan.failure is not None]
    if not changing and not failed:
        return f"No changes: {len(good)} nodes are as mirrors.yaml wants them."
    return (
        f"Plan: {len(changing)} nodes to change ({restarts} with a restart of containerd,"
        f" {len(changing) - restarts} without), {len(good) - len(changing)} unchanged,"
        f" {len(failed)} failed. Files: {_counts(changing)}."
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], out: Console) -> None:
    """Print a table: unbroken for a pipe, folded for a terminal, row by row for a narrow one."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    needed = sum(widths) + len(widths)
    if not out.is_terminal or needed <= out.width:
        for number, row in enumerate((columns, *cells)):
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            out.print(
                " ".join(padded).rstrip(), style="bold" if not number else None, soft_wrap=True
            )
    elif out.width >= 80 and needed <= 2 * out.width:
        _folded_table(columns, cells, out)
    else:
        for first, *rest in cells:
            out.print(first, style="bold")
            for column, cell in zip(columns[1:], rest, strict=True):
                if cell.strip():
                    out.print(f"  {column.lower()}: {cell}" if column else f"  {cell}")


def _folded_table(columns: Sequence[str], cells: Iterable[Sequence[str]], out: Console) -> None:
    from rich.table import Table  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in cells:
        grid.add_row(*row)
    out.print(grid, soft_wrap=False)
