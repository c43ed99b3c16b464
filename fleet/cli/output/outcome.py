"""Outcomes of nodes as text: a line for each node, the recap of a rollout, its exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from fleet.actions.job import RolloutResult
from fleet.cli.next_steps import pasteable, print_next
from fleet.cli.options import Exit, Settings
from fleet.cli.output.failures import failure_title, print_evidence, print_remedy
from fleet.cli.output.rollout_steps import rollout_steps
from fleet.cli.output.tables import console, print_json
from fleet.core.failure import FailureKind
from fleet.core.history.gate_data import gates_data
from fleet.core.history.serialize import outcome_data, rollout_data
from fleet.core.model.outcome import (
    DrainResult,
    NodeOutcome,
    NodeStatus,
    PullClient,
    Served,
    Verified,
)
from fleet.core.plan.pull_tests import unproven_text
from fleet.core.rollout.ending import ending_line, gates_text
from fleet.core.rollout.state import RolloutStatus
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {
    NodeStatus.CONVERGED: ("~", "green"),
    NodeStatus.UNCHANGED: ("=", "green"),
    NodeStatus.ROLLED_BACK: ("<", "yellow"),
    NodeStatus.FAILED: ("!", "red"),
    NodeStatus.UNREACHABLE: ("?", "red"),
    NodeStatus.NO_ACCESS: ("!", "red"),
    NodeStatus.STALE: ("!", "yellow"),
    NodeStatus.DEGRADED: ("X", "bold red"),
    NodeStatus.PENDING: (".", "dim"),
    NodeStatus.STAGING: (".", "dim"),
    NodeStatus.STAGED: (".", "dim"),
    NodeStatus.RUNNING: (">", "cyan"),
    NodeStatus.CHECKING: (">", "cyan"),
    NodeStatus.REVERTING: (">", "cyan"),
}


def outcome_line(outcome: NodeOutcome, *, brief: bool = False) -> str:
    """Return an outcome as one line; `brief` omits what the recap or the history has in full."""
    facts = [f"{outcome.seconds:.1f} s"] if outcome.seconds else []
    facts += _drain_facts(outcome.drain)
    if outcome.restarted:
        facts.append("restarted")
    pulls = [pull for pull in outcome.verified if pull.ok]
    facts += _pull_counts(pulls) if brief else map(_pull_text, pulls)
    line = f"{outcome.node}: {_status_text(outcome)}"
    if outcome.failure is not None:
        failure = outcome.failure
        line += f": {failure_title(failure) if brief else printable(failure.message)}"
    return f"{line} ({'; '.join(facts)})" if facts else line


def _status_text(outcome: NodeOutcome) -> str:
    """Return the status of a node; an unchanged one may be unhealthy as it is."""
    unhealthy = f", but unhealthy: {printable(outcome.unhealthy)}" if outcome.unhealthy else ""
    return f"{outcome.status.words}{unhealthy}"


def _drain_facts(drain: DrainResult | None) -> list[str]:
    """Return what was done with the pods and the cordon of a node."""
    if drain is None:
        return []
    pods = counted(len(drain.evicted), "pod")
    facts = ["was cordoned"] if drain.cordoned and not drain.drained else []
    if drain.drained:
        facts.append(f"drained: {pods} evicted")
    if drain.kept_cordon:
        facts.append("stays cordoned, as it was before")
    return facts


def _pull_counts(pulls: Iterable[Verified]) -> list[str]:
    """Return how many pulls each kind of source has served."""
    sources = Counter(str(pull.served) for pull in pulls)
    return [f"{counted(number, 'pull')}: {source}" for source, number in sources.items()]


def _pull_text(pull: Verified) -> str:
    weak = ", CRI not verified" if pull.via is PullClient.CTR else ""
    return f"pulled {printable(pull.image)} by {pull.via}, {verdict_words(pull)}{weak}"


def verdict_words(pull: Verified) -> str:
    """Return which mirror served a pull, as far as the evidence shows it."""
    match pull.served:
        case Served.MIRROR:
            return f"served by {printable(pull.mirror or '')}"
        case Served.UPSTREAM:
            return f"served by upstream, {printable(pull.mirror or '')}"
        case Served.PRESENT:
            return "already there"
        case Served.UNKNOWN:
            return "mirror unknown"


def print_outcomes(
    outcomes: Iterable[NodeOutcome], out: Console, seen: Collection[str] = ()
) -> None:
    """Print the outcome of every node, and each failure once, with its remedy and evidence.

    Nodes that share a status and have no details share a line: those that were not changed, and
    on a terminal those in `seen`.
    """
    groups: dict[object, list[NodeOutcome]] = {}
    for outcome in outcomes:
        shared = outcome.status in _PLAIN or (out.is_terminal and outcome.node in seen)
        cause = outcome.failure.cause if outcome.failure else None if shared else outcome.node
        groups.setdefault((outcome.status, cause, outcome.unhealthy), []).append(outcome)
    for group in sorted(groups.values(), key=lambda group: group[0].failure is not None):
        _print_outcome_group(group, out)


_PLAIN = {NodeStatus.PENDING, NodeStatus.UNCHANGED}


def _print_outcome_group(group: Sequence[NodeOutcome], out: Console) -> None:
    first = group[0]
    mark, style = MARKS[first.status]
    line = outcome_line(first)
    if len(group) > 1:
        names = f"{compress(outcome.node for outcome in group)} ({len(group)})"
        reason = f": {printable(first.failure.message)}" if first.failure else ""
        line = f"{names}: {_status_text(first)}{reason}"
    out.print(f"{mark} {line}", style="yellow" if first.unhealthy else style)
    if first.failure is not None:
        print_remedy(first.failure, out, "    ")
        print_evidence(first.failure, out)


def still_locked(outcomes: Iterable[NodeOutcome], rollout: str) -> str:
    """Return a line that names the nodes that are still locked; empty if there are none."""
    held = [outcome.node for outcome in outcomes if outcome.held]
    if not held:
        return ""
    remedy = pasteable(f"`fleet resume {rollout}` settles that")
    return f"{compress(held)}: still locked by this rollout; {remedy}"


def cordoned_nodes(outcomes: Iterable[NodeOutcome]) -> list[str]:
    """Return the nodes on which a cordon of fleet is left, as far as is known."""
    return [end.node for end in outcomes if end.drain is not None and end.drain.still_cordoned]


def still_cordoned(outcomes: Iterable[NodeOutcome], rollout: str) -> str:
    """Return a line that names the nodes with a cordon of fleet; empty if there are none."""
    names = cordoned_nodes(outcomes)
    if not names:
        return ""
    remedy = pasteable(f"`fleet unlock {rollout}` uncordons")
    return f"{compress(names)}: still cordoned by this rollout; {remedy}"


def print_recap(
    outcomes: Sequence[NodeOutcome],
    line: str,
    rollout: str,
    out: Console,
    seen: Collection[str] = (),
) -> None:
    """Print the outcome of every node, `line`, unverified registries and remaining locks.

    `rollout` is its id if the journal holds it, else empty.
    """
    print_outcomes(outcomes, out, seen)
    out.print(line, style="bold")
    if unproven := unproven_text({outcome.node: outcome.unproven for outcome in outcomes}):
        out.print(unproven, style="yellow")
    if rollout and (locked := still_locked(outcomes, rollout)):
        out.print(locked, style="yellow")
    if rollout and (cordoned := still_cordoned(outcomes, rollout)):
        out.print(cordoned, style="yellow")


def show_result(result: RolloutResult, settings: Settings, seen: Collection[str]) -> None:
    """Print the recap of a rollout or rollback as text or as JSON.

    Nodes in `seen`, whose outcome is on the terminal already, are grouped.
    """
    outcomes, steps = list(result.outcomes.values()), rollout_steps(result)
    if settings.as_json:
        nodes = {outcome.node: outcome_data(outcome) for outcome in outcomes}
        gates = gates_data(result.gates)
        data = rollout_data(result.rollout, result.status, nodes, result.batches, gates)
        print_json({**data, "next": [step.command for step in steps]})
        return
    line = ending_line(result.kind, result.status, outcomes, result.reason)
    out = console(color=settings.color)
    print_recap(outcomes, f"{line}  {result.rollout}".rstrip(), result.rollout, out, seen)
    for text in gates_text(result.gates):
        out.print(printable(text), style="dim")
    print_next(steps, out)


def exit_code(status: RolloutStatus, outcomes: Sequence[NodeOutcome]) -> Exit:
    """Return the exit code of a rollout: the most severe one that applies."""
    if any(outcome.status is NodeStatus.DEGRADED for outcome in outcomes):
        return Exit.DEGRADED
    if status is RolloutStatus.INTERRUPTED:
        return Exit.INTERRUPTED
    held = any(
        outcome.failure and outcome.failure.kind is FailureKind.LOCKED for outcome in outcomes
    )
    if (
        status is RolloutStatus.HALTED
        or held
        or any(outcome.status is NodeStatus.STALE for outcome in outcomes)
    ):
        return Exit.HALTED
    failed = any(outcome.status.failed or outcome.flagged for outcome in outcomes)
    return Exit.FAILED if failed or cordoned_nodes(outcomes) else Exit.OK
