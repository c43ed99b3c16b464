"""The words of the progress view: the budget, the time left, steps, and what Ctrl-C does."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.actions.user_interface import Scope
from fleet.core.failure import Step
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.text.counts import counted
from fleet.errors import printable

STEPS: Mapping[Step, str] = {
    Step.LOCK: "locking the node",
    Step.GUARD: "checking the guard",
    Step.CHECK: "checking the files",
    Step.UPLOAD: "uploading",
    Step.UNPACK: "unpacking",
    Step.VALIDATE: "validating with containerd",
    Step.STAGE: "staging",
    Step.CORDON: "cordoning",
    Step.DRAIN: "draining",
    Step.KEEP: "saving the old files",
    Step.ARM: "arming the guard",
    Step.SWAP: "swapping the files",
    Step.RESTART: "restarting containerd",
    Step.HEALTH: "waiting for health",
    Step.LIVENESS: "checking that certs.d is read",
    Step.READ_BACK: "reading back what was generated",
    Step.VERIFY: "verification pull",
    Step.SOAK: "soaking",
    Step.CONFIRM: "confirming",
    Step.RECHECK: "checking health again",
    Step.REVERT: "reverting",
}
"""The steps that take time, in plain words; others are shown by their name."""


def budget(failed: int, allowed: int) -> str:
    """Return how many nodes have failed, and how many may."""
    if failed > allowed:
        return f"failures: {failed}, only {allowed} allowed"
    return f"failures: {failed} of {allowed} allowed" if allowed else "failures: 0, none allowed"


def duration(seconds: float) -> str:
    """Return a time in seconds, minutes or hours; it is off by less than 5 %."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 595:
        minutes, rest = divmod(round(seconds / 10) * 10, 60)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def time_left(seconds: float | None) -> str:
    """Return the estimated time to the end; empty before the first node has converged."""
    return "" if seconds is None else f"about {duration(seconds)} left"


def countdown(until: float, now: float) -> str:
    """Return the whole seconds that are left; a countdown ends with 1 s."""
    return f"{max(1, round(until - now))} s"


def gate_lines(batch: int, when: GateTime, decision: GateDecision) -> tuple[str, ...]:
    """Return what a gate of the cluster has decided about a batch; nothing if all is well."""
    head = f"cluster, {when} batch {batch}"
    texts = list(decision.notes)
    texts += [f"{name}: {failure.message}" for name, failure in decision.flagged.items()]
    if decision.halt is not None:
        texts.append(decision.halt.message)
    return tuple(printable(f"{head}: {text}") for text in texts)


def stop_lines(scope: Scope, in_flight: int, *, changing: bool) -> tuple[str, ...]:
    """Return what the first Ctrl-C did, and what a second one would do, in short lines.

    `changing` tells whether a batch was begun. Before that nodes are only staged.
    """
    again = "Press Ctrl-C again to stop immediately"
    if not changing:
        return "Stopping before the next batch. No more nodes are changed.", f"{again}."
    first = "Stopping after the current batch"
    if not in_flight:
        return f"{first}.", f"{again}."
    change = f"undo their change within {scope.guard:.0f} s"
    left = change if scope.guard else "keep an unconfirmed change"
    nodes = counted(in_flight, "node")
    return f"{first}: {nodes} in flight.", f"{again}:", f"nodes in flight then {left}."


def stopped(scope: Scope, in_flight: int) -> str:
    """Return what an immediate stop leaves on the nodes."""
    if not in_flight:
        return "Stopped. No node was being changed."
    nodes = f"Stopped. {counted(in_flight, 'node')}"
    if not scope.guard:
        return f"{nodes} may have an unconfirmed change, which no guard undoes."
    return f"{nodes} may have an unconfirmed change and will undo it within {scope.guard:.0f} s."
