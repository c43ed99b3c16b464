"""What people read: plans folded by equal diffs, tables, and one line for every node."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import click

from fleet.core.findings import Finding, Verdict
from fleet.core.masking import Mark, clean_data, without_logins
from fleet.core.model import Action, Disruption
from fleet.core.nodeset import fold
from fleet.core.outcome import Failure, NodeOutcome, NodeStatus, Served, Verified
from fleet.core.plan import NodePlan
from fleet.core.text import unified_diff
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {
    NodeStatus.CONVERGED: ("~", "green"),
    NodeStatus.UNCHANGED: ("=", "green"),
    NodeStatus.ROLLED_BACK: ("<", "yellow"),
    NodeStatus.FAILED: ("!", "red"),
    NodeStatus.UNREACHABLE: ("?", "red"),
    NodeStatus.STALE: ("!", "yellow"),
    NodeStatus.DEGRADED: ("X", "bold red"),
    NodeStatus.PENDING: (".", "dim"),
    NodeStatus.STAGING: (".", "dim"),
    NodeStatus.STAGED: (".", "dim"),
    NodeStatus.RUNNING: (">", "cyan"),
    NodeStatus.CHECKING: (">", "cyan"),
    NodeStatus.REVERTING: (">", "cyan"),
}


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


def outcome_line(outcome: NodeOutcome, *, brief: bool = False) -> str:
    """Say in one line how a node's pass ended; `brief` leaves the why of a failure to the recap."""
    facts = [f"{outcome.seconds:.1f} s"] if outcome.seconds else []
    if outcome.restarted:
        facts.append("restarted")
    facts += [_verdict(each) for each in outcome.verified if each.ok]
    line = f"{outcome.node}: {outcome.status}"
    if outcome.failure is not None:
        failure = outcome.failure
        line += f": {failure.kind} at {failure.step}"
        line += "" if brief else f": {printable(failure.message)}"
    return f"{line} ({'; '.join(facts)})" if facts else line


def _verdict(pull: Verified) -> str:
    weak = ", CRI not proven" if pull.via == "ctr" else ""
    return f"pulled {printable(pull.image)} by {pull.via}, {verdict_words(pull)}{weak}"


def verdict_words(pull: Verified) -> str:
    """Say who served a pull, as far as the evidence decides it."""
    match pull.served:
        case Served.MIRROR:
            return f"served by {printable(pull.mirror or '')}"
        case Served.UPSTREAM:
            return f"served by upstream, {printable(pull.mirror or '')}"
        case Served.PRESENT:
            return "already there"
        case Served.UNKNOWN:
            return "served by: not known"


def print_outcomes(
    outcomes: Iterable[NodeOutcome], out: Console, seen: Collection[str] = ()
) -> None:
    """Print how every node ended, with the evidence of what failed.

    Nodes that are well, and whose end was `seen` on this very terminal, share a line.
    """
    told, short = [], defaultdict(list)
    for outcome in outcomes:
        if out.is_terminal and outcome.node in seen and outcome.failure is None:
            short[outcome.status].append(outcome.node)
        else:
            told.append(outcome)
    for status, nodes in short.items():
        mark, style = MARKS[status]
        out.print(f"{mark} {fold(nodes)} ({len(nodes)}): {status}", style=style)
    for outcome in told:
        mark, style = MARKS[outcome.status]
        out.print(f"{mark} {outcome_line(outcome)}", style=style)
        if outcome.failure is not None:
            for line in printable(outcome.failure.evidence).splitlines()[-8:]:
                out.print(f"      | {line}", style="dim")


def recap(counts: Mapping[NodeStatus, int], status: str, reason: str) -> str:
    """Close a rollout with one line that counts."""
    parts = ", ".join(f"{counts[each]} {each}" for each in NodeStatus if counts.get(each))
    return f"{status}: {parts}" + (f" ({reason})" if reason else "")


def not_proven(outcomes: Iterable[NodeOutcome]) -> str:
    """Return a line that names changed registries which no pull has proven; empty if none."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for outcome in outcomes:
        for registry in outcome.unproven:
            nodes[registry].append(outcome.node)
    by_nodes: dict[str, list[str]] = defaultdict(list)
    for registry, names in nodes.items():
        by_nodes[fold(names)].append(registry)
    told = [f"{', '.join(map(printable, each))} ({names})" for names, each in by_nodes.items()]
    return f"not proven by a pull: {'; '.join(told)}" if told else ""


def still_locked(outcomes: Iterable[NodeOutcome], rollout: str) -> str:
    """Return a line that names the nodes which are still locked; empty if none."""
    held = [outcome.node for outcome in outcomes if outcome.held]
    if not held:
        return ""
    return f"{fold(held)}: still locked by this rollout; `fleet resume {rollout}` settles that"


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
