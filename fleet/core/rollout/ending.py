"""The end of a rollout in words: how it ended, and the cause first if nodes have failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from fleet.core.failure import FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.state import GateDecided, RolloutStatus
from fleet.core.text.counts import counted


class RolloutEnding(StrEnum):
    """The end of a rollout as users see it; `finished` means that no node failed."""

    FINISHED = "finished"
    FAILED = "failed"
    HALTED = "halted"
    INTERRUPTED = "interrupted"


def rollout_ending(
    status: RolloutStatus, counts: Mapping[NodeStatus, int], *, flagged: bool = False
) -> RolloutEnding:
    """Return how a rollout ended; it halted only if nodes are left that it did not start.

    `flagged` is whether a gate found something wrong with a converged node.
    """
    failed = flagged or any(number and of.failed for of, number in counts.items())
    if status is RolloutStatus.INTERRUPTED:
        return RolloutEnding.INTERRUPTED
    if status is RolloutStatus.HALTED and (counts.get(NodeStatus.PENDING) or not failed):
        return RolloutEnding.HALTED
    return RolloutEnding.FAILED if failed else RolloutEnding.FINISHED


def ending_line(
    kind: str, status: RolloutStatus, outcomes: Sequence[NodeOutcome], reason: str
) -> str:
    """Return the end of a rollout as one line: the failed nodes, the reason, the other nodes."""
    counts = Counter(outcome.status.shown for outcome in outcomes)
    flagged = any(outcome.flagged for outcome in outcomes)
    ending = rollout_ending(status, counts, flagged=flagged)
    failed = (outcome for outcome in outcomes if outcome.status.failed or outcome.flagged)
    troubles = Counter(map(_trouble, failed))
    causes = ", ".join(f"{counted(number, 'node')} {text}" for text, number in troubles.items())
    if reason and ending is not RolloutEnding.FAILED:
        causes = f"{causes}; {reason}" if causes else reason
    others = _counts(outcomes)
    if not causes or not others:
        return ": ".join(filter(None, (f"{kind} {ending}", causes or others)))
    return f"{kind} {ending}: {causes} ({others})"


def gates_text(gates: Sequence[GateDecided]) -> tuple[str, ...]:
    """Return what the cluster's gates have waited for and noted, one text a line."""
    if not gates:
        return ()
    batches = counted(len({gate.batch for gate in gates}), "batch", "batches")
    waited = sum(gate.decision.waited for gate in gates)
    wait = f", waited {waited:.0f} s for Ready, which lags behind a restart" if waited else ""
    notes = dict.fromkeys(note for gate in gates for note in gate.decision.notes)
    return (f"cluster: asked about {batches}{wait}", *notes)


def _counts(outcomes: Sequence[NodeOutcome]) -> str:
    """Return the numbers of nodes that did not fail, by status."""
    counts = Counter(
        (outcome.status.shown, bool(outcome.unhealthy))
        for outcome in outcomes
        if not outcome.status.failed
    )
    return ", ".join(
        f"{counts[status, unhealthy]} {status.words}{' but unhealthy' if unhealthy else ''}"
        for status in NodeStatus
        for unhealthy in (False, True)
        if counts[status, unhealthy]
    )


def _trouble(outcome: NodeOutcome) -> str:
    """Return what is wrong with a failed node, after "1 node" or "2 nodes"."""
    failure = outcome.failure
    if outcome.flagged:
        return "wrong in the cluster since the change"
    if failure is not None and failure.step is Step.SETTLE:
        return "with an unsettled change"
    if outcome.status is NodeStatus.FAILED and failure is not None:
        return _REFUSALS.get(failure.kind, "failed")
    return _TROUBLES.get(outcome.status, "failed")


_TROUBLES = {
    NodeStatus.ROLLED_BACK: "rolled back",
    NodeStatus.UNREACHABLE: "unreachable",
    NodeStatus.NO_ACCESS: "without access",
    NodeStatus.STALE: "changed since the plan",
    NodeStatus.DEGRADED: "degraded",
}


_REFUSALS = {
    FailureKind.LOCKED: "locked by another rollout",
    FailureKind.HEALTH: "unhealthy before the change",
    FailureKind.CONFLICT: "in conflict",
    FailureKind.VALIDATE: "whose containerd refuses the new config",
    FailureKind.WORKLOADS: "whose restart would end containers",
    FailureKind.DRAIN: "not drained",
    FailureKind.NO_GENERATION: "without a saved state to go back to",
}
"""The reasons why a node was left as it was, by the kind of the failure."""
