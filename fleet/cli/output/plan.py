"""Plans as text, grouped by nodes with equal diffs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff as unified
from typing import TYPE_CHECKING

from fleet.actions.render import Rendered
from fleet.cli.options import Exit, Settings
from fleet.cli.output.failures import print_evidence, print_remedy
from fleet.cli.output.fitting import echo
from fleet.cli.output.meaning import print_meaning
from fleet.cli.output.tables import console, print_json
from fleet.core.failure import Failure
from fleet.core.history.serialize import plan_data
from fleet.core.masking import Mark
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.change import Action, RestartCost
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.node_state import NodeState
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


def show_plans(
    plans: Sequence[NodePlan], settings: Settings, mark: Mark, *, stat: bool = False
) -> None:
    """Print plans as text or as JSON; `stat` leaves out the diffs of files."""
    if settings.as_json:
        print_json({"nodes": {plan.node.name: plan_data(plan, mark) for plan in plans}})
    else:
        print_plans(plans, console(color=settings.color), mark, stat=stat)


def plan_exit_code(plans: Sequence[NodePlan], changes: Exit = Exit.DIFFERENT) -> Exit:
    """Return the exit code for plans: failed, `changes` if there are any, or ok."""
    if any(plan.failure is not None for plan in plans):
        return Exit.FAILED
    return changes if any(plan.has_work for plan in plans) else Exit.OK


def show_rendered(rendered: Rendered, settings: Settings, mark: Mark) -> None:
    """Print the plan of `fleet render`, and the files that were written."""
    if settings.as_json:
        print_json({**plan_data(rendered.plan, mark), "files": list(rendered.written)})
        return
    print_plans([rendered.plan], console(color=settings.color), mark)
    for path in rendered.written:
        echo(f"wrote {path}")


def print_plans(plans: Sequence[NodePlan], out: Console, mark: Mark, *, stat: bool = False) -> None:
    """Print the meaning of plans, the diffs of nodes that share them, and a closing count.

    `stat` leaves out the diffs.
    """
    print_meaning(plans, out, mark)
    shown: list[_Shown] = []
    for group in _group_equal(plans):
        first = group[0]
        if not stat or first.failure or first.unhealthy or first.notes or first.findings:
            _print_group(group, out, mark, shown, stat=stat)
    out.print(closing_count(plans), style="bold")
    unproven = dict.fromkeys(name for plan in plans for name in plan.pulls.unproven)
    if unproven:
        names = ", ".join(map(printable, unproven))
        out.print(f"Without a `verify` in mirrors.yaml, so no pull proves them: {names}.")
    if not stat:
        out.print(legend(plans), style="dim")


def _group_equal(plans: Iterable[NodePlan]) -> list[list[NodePlan]]:
    groups: dict[object, list[NodePlan]] = {}
    for plan in plans:
        changes = tuple((change.path, change.before, change.after) for change in plan.changes)
        key = (
            plan.strategy, changes, plan.restart.cost, plan.notes,
            plan.failure and plan.failure.cause, plan.findings,
            plan.availability.control_plane, _etcd_line(plan), plan.unhealthy, plan.state,
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
    """Return the symbol of a node's plan."""
    if plan.failure is not None:
        return "?" if plan.failure.kind.unreachable else "!"
    return "~" if plan.has_work else "="


def legend(plans: Iterable[NodePlan]) -> str:
    """Return the legend of the symbols that the plans use."""
    used = {symbol(plan) for plan in plans}
    parts = [f"{sign} {meaning}" for sign, meaning in _SYMBOLS.items() if sign in used]
    return "  ".join([*parts, "files: + new  ~ changed  - removed"] if "~" in used else parts)


def _print_group(
    group: list[NodePlan], out: Console, mark: Mark, shown: list[_Shown], *, stat: bool
) -> None:
    first = group[0]
    names = compress(plan.node.name for plan in group)
    versions = ", ".join(sorted({plan.containerd or "containerd unknown" for plan in group}))
    read = [versions, first.strategy or "no strategy"] if first.containerd or first.changes else []
    state = [str(first.state)] if first.state and symbol(first) != "=" else []
    head = "  ".join([f"{names} ({len(group)})", *state, *read])
    if evidence := first.availability.control_plane:
        head += f"  control plane ({printable(', '.join(evidence))})"
    if first.failure is not None:
        out.print(f"{symbol(first)} {head}", style="red")
        out.print(f"    {printable(first.failure.message)}", style="red")
        print_remedy(first.failure, out, "      ")
        print_evidence(first.failure, out)
    elif not first.has_work:
        _print_unchanged(first, head, out)
    else:
        cost = "restart" if first.restart.cost is RestartCost.RESTART else "no restart"
        out.print(f"~ {head}  {cost}  {_counts([first])}", style="bold")
    if etcd := _etcd_line(first):
        out.print(f"    {etcd}")
    for note in first.notes:
        out.print(f"    note: {printable(note)}", style="yellow")
    for finding in first.findings:
        out.print(f"    {finding_line(finding)}", style=finding_style(finding))
    if not stat:
        _print_diffs(names, first, out, mark, shown)


def _print_unchanged(plan: NodePlan, head: str, out: Console) -> None:
    """Print a node without changes; a rollout does not repair one that is unhealthy."""
    if not plan.unhealthy:
        out.print(f"= {head}  no change", style="green")
        return
    out.print(f"= {head}  no change, but unhealthy", style="yellow")
    out.print(f"    {printable(plan.unhealthy)}", style="yellow")
    remedy = f"look at `journalctl -u {plan.daemon.unit}` on the node"
    out.print(f"      remedy: {printable(remedy)}", style="yellow")


def _etcd_line(plan: NodePlan) -> str:
    """Return what a control plane node says about etcd; empty for other nodes."""
    etcd = plan.availability.etcd
    return printable(f"etcd: {etcd.summary}") if etcd is not None else ""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The diffs of a group that are printed already; a similar group is compared with them."""

    names: str
    diffs: Mapping[str, list[str]]


_HEADS = {"--- ", "+++ "}
_SIMILAR = 6
"""The most lines by which the diffs of two groups differ that are shown as one."""


def _print_diffs(names: str, plan: NodePlan, out: Console, mark: Mark, shown: list[_Shown]) -> None:
    """Print the diffs of a group; of a group that is similar to an earlier one, the difference."""
    diffs = {change.path: unified_diff(change, mark).split("\n") for change in plan.changes}
    for earlier in shown:
        lines = _difference(earlier.diffs, diffs)
        if lines is not None:
            out.print(f"    as {earlier.names}, but in" if lines else f"    as {earlier.names}")
            for line in lines:
                out.print(f"    {line}", style="cyan")
            return
    shown.append(_Shown(names, diffs))
    alike: dict[tuple[str, ...], list[str]] = {}
    for path, diff in diffs.items():
        alike.setdefault(tuple(_changed(diff)), []).append(path)
    for first, *others in alike.values():
        for line in diffs[first]:
            out.print(f"    {line}", style=_line_style(line))
        if others:
            text = f"the same lines in {counted(len(others), 'more file')}: {', '.join(others)}"
            out.print(f"    {printable(text)}", style="cyan")


def _difference(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> list[str] | None:
    """Return the lines by which diffs of the same files differ; None if they are not similar."""
    if before.keys() != after.keys() or not after:
        return None
    groups: dict[tuple[str, ...], list[str]] = {}
    for path, diff in after.items():
        lines = [
            f"  {'with' if line[0] == '+' else 'without'} {line[1:]}"
            for line in unified(_changed(before[path]), _changed(diff), n=0, lineterm="")
            if line[0] in "+-" and not line.startswith(("---", "+++"))
        ]
        differing = tuple(dict.fromkeys(lines))
        if len(differing) > _SIMILAR:
            return None
        if differing:
            groups.setdefault(differing, []).append(path)
    return [
        text
        for lines, paths in groups.items()
        for text in (f"{paths[0]}:" if len(paths) == 1 else f"{len(paths)} files:", *lines)
    ]


def _changed(diff: list[str]) -> list[str]:
    """Return the lines of a diff that are added or removed."""
    return [line for line in diff if line[:1] in {"+", "-"} and line[:4] not in _HEADS]


def finding_line(finding: Finding) -> str:
    """Return a finding as one line; a conflict with its effect on the plan."""
    noted = finding.effect is FindingEffect.NOTES
    head = "note" if noted else f"conflict ({finding.effect})"
    return f"{head}: {printable(str(finding))}"


def finding_style(finding: Finding) -> str:
    """Return the color of a conflict: red if it stops CRI or the plan, else yellow."""
    return "red" if finding.stops_cri or finding.effect is FindingEffect.REFUSES else "yellow"


def _line_style(line: str) -> str:
    if line.startswith(("---", "+++")):
        return "bold"
    styles = {"+": "green", "-": "red", "@": "cyan"}
    return styles.get(line[:1], "default")


def _counts(plans: Iterable[NodePlan]) -> str:
    actions = [change.action for plan in plans for change in plan.changes]
    signs = (("+", Action.CREATE), ("~", Action.UPDATE), ("-", Action.DELETE))
    return " ".join(f"{sign}{actions.count(action)}" for sign, action in signs)


def _file_counts(plans: Iterable[NodePlan]) -> str:
    """Return how many files of all nodes are created, updated and deleted."""
    actions = [change.action for plan in plans for change in plan.changes]
    words = ((Action.CREATE, "created"), (Action.UPDATE, "updated"), (Action.DELETE, "deleted"))
    parts = [(actions.count(action), word) for action, word in words]
    return ", ".join(f"{counted(number, 'file')} {word}" for number, word in parts if number)


def _failed_as(failure: Failure) -> str:
    """Return the word that counts a failed plan."""
    if failure.kind.unreachable:
        return str(NodeState.UNREACHABLE)
    return str(NodeState.NO_ACCESS) if failure.kind.no_access else "cannot be planned"


def closing_count(plans: Sequence[NodePlan]) -> str:
    """Return a line that counts the changes of plans."""
    good = [plan for plan in plans if plan.failure is None]
    changing = [plan for plan in good if plan.has_work]
    restarts = sum(plan.restart.cost is RestartCost.RESTART for plan in changing)
    failures = [plan.failure for plan in plans if plan.failure is not None]
    if not changing and not failures:
        if any(plan.strategy in {"rollback", "remove"} for plan in good):
            return f"No changes: there is nothing to do on {counted(len(good), 'node')}."
        verb = "matches" if len(good) == 1 else "match"
        text = f"No changes: {counted(len(good), 'node')} {verb} mirrors.yaml"
        unhealthy = sum(bool(plan.unhealthy) for plan in good)
        return f"{text}; {unhealthy} of them unhealthy." if unhealthy else f"{text}."
    nodes = [f"{counted(len(changing), 'node')} to change"]
    if unchanged := len(good) - len(changing):
        nodes.append(f"{unchanged} unchanged")
    kinds = Counter(_failed_as(failure) for failure in failures)
    nodes += [f"{number} {word}" for word, number in kinds.items()]
    head = f"Plan: {', '.join(nodes)}."
    if not changing:
        return head
    files = _file_counts(changing)
    return f"{head} containerd restarts on {restarts or 'none'}.{files and f' {files}.'}"
