"""The next steps after a rollout, rollback or undo, by how it and its nodes have ended."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.actions.job import RolloutResult
from fleet.cli.next_steps import (
    NextStep,
    command_line,
    running_command,
    same_command,
    same_exclude,
)
from fleet.core.failure import FailureKind
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.state import RolloutStatus
from fleet.core.selection.ranges import compress


def rollout_steps(result: RolloutResult) -> tuple[NextStep, ...]:
    """Return the commands that go on after a rollout; the most useful one comes first."""
    return tuple(_steps(result))


def _steps(result: RolloutResult) -> Iterator[NextStep]:
    if not result.rollout:
        if result.kind == "remove":
            return
        nodes = compress(result.outcomes)
        yield NextStep("prove that the nodes pull", command_line("verify", "-l", nodes))
        return
    bad = [outcome for outcome in result.outcomes.values() if outcome.status.failed]
    if degraded := _named(result, NodeStatus.DEGRADED):
        look = command_line("probe", "-l", degraded)
        yield NextStep("repair the degraded nodes by hand, then look at them", look)
    if locked := _locked(bad):
        look = command_line("locks", "-l", locked)
        yield NextStep("see which rollout has locked these nodes", look)
    yield from _continuing(result, bad)
    if cordoned := [name for name, end in result.outcomes.items() if _is_cordoned(end)]:
        unlock = command_line("unlock", result.rollout, "-l", compress(cordoned))
        yield NextStep("uncordon what is still cordoned", unlock)
    changed = bool(_named(result, NodeStatus.CONVERGED))
    if changed and result.kind != "remove":
        purpose = "undo what it changed" if bad or _is_open(result) else "undo it"
        yield NextStep(purpose, command_line("undo", result.rollout))
    if changed and not bad and not _is_open(result):
        report = command_line("report", result.rollout, "-o", f"{result.rollout}.html")
        yield NextStep("keep a report", report)


def _continuing(result: RolloutResult, bad: list[NodeOutcome]) -> Iterator[NextStep]:
    """Yield the steps that bring the other nodes to their end."""
    resume = command_line("resume", result.rollout)
    held = any(outcome.held for outcome in result.outcomes.values())
    pending = any(end.status is NodeStatus.PENDING for end in result.outcomes.values())
    unjudged = any(gate.decision.halt is not None for gate in result.gates)
    halted_well = result.status is RolloutStatus.HALTED and not bad and (pending or unjudged)
    if result.status is RolloutStatus.INTERRUPTED:
        left = sum(end.status is NodeStatus.PENDING for end in result.outcomes.values())
        nodes = "the other node" if left == 1 else f"the other {left} nodes"
        yield NextStep(f"finish {nodes if left else 'it'}", resume)
        return
    if held or halted_well:
        purpose = (
            "release the nodes that are still locked" if held else "continue when that is fixed"
        )
        yield NextStep(purpose, resume)
    if bad and _named(result, NodeStatus.PENDING):
        yield from _without(result, bad)
    elif bad:
        yield from _again(result, bad)


def _without(result: RolloutResult, bad: list[NodeOutcome]) -> Iterator[NextStep]:
    """Yield the steps after a halt: with the failed nodes repaired, or without them."""
    names = compress(outcome.node for outcome in bad)
    if running_command() != result.kind:
        others = compress(name for name in result.outcomes)
        yield NextStep("run it again when they are fixed", command_line(result.kind, "-l", others))
        return
    yield NextStep("run it again when they are fixed", same_command())
    if all(outcome.status is NodeStatus.UNREACHABLE for outcome in bad):
        skip = same_command("--skip-unreachable")
        yield NextStep("go on without unreachable nodes", skip)
    yield NextStep("leave these nodes out", same_command(exclude=same_exclude(names)))


def _again(result: RolloutResult, bad: list[NodeOutcome]) -> Iterator[NextStep]:
    """Yield the steps that try the failed nodes again."""
    if result.kind != "rollout":
        names = compress(outcome.node for outcome in bad)
        if running_command() == result.kind:
            yield NextStep("try these nodes again", same_command(limit=names))
        return
    lost = [outcome for outcome in bad if outcome.status is NodeStatus.UNREACHABLE]
    if len(lost) < len(bad):
        words = ("--rerun", "failed", result.rollout)
        yield NextStep("try the failed nodes again", command_line("rollout", *words))
    if lost:
        words = ("--rerun", "unreachable", result.rollout)
        yield NextStep("try the unreachable nodes again", command_line("rollout", *words))


def _is_cordoned(outcome: NodeOutcome) -> bool:
    return outcome.drain is not None and outcome.drain.still_cordoned


def _is_open(result: RolloutResult) -> bool:
    return result.status is not RolloutStatus.FINISHED


def _named(result: RolloutResult, status: NodeStatus) -> str:
    return compress(name for name, end in result.outcomes.items() if end.status is status)


def _locked(bad: list[NodeOutcome]) -> str:
    return compress(
        outcome.node
        for outcome in bad
        if outcome.failure is not None and outcome.failure.kind is FailureKind.LOCKED
    )
