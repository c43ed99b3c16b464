"""Failures as text: what happened and where, the remedy on a line of its own, the evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleet.cli.next_steps import pasteable
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.failure_groups import group_failures
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

_MOST_EVIDENCE = 8
"""The most lines of evidence that are shown: the last ones, which usually name the cause."""


_TITLES = {
    FailureKind.CONNECT: "could not connect",
    FailureKind.HOST_KEY: "host key not trusted",
    FailureKind.AUTH: "login refused",
    FailureKind.TIMEOUT: "no answer in time",
    FailureKind.SUDO: "no root access",
    FailureKind.PROTOCOL: "output not understood",
    FailureKind.UNSUPPORTED: "not supported",
    FailureKind.CONFLICT: "conflict",
    FailureKind.LOCKED: "locked",
    FailureKind.STALE: "changed since the plan",
    FailureKind.UPLOAD: "upload failed",
    FailureKind.STORAGE: "storage failed",
    FailureKind.VALIDATE: "new config refused",
    FailureKind.RESTART: "restart failed",
    FailureKind.HEALTH: "unhealthy",
    FailureKind.VERIFY: "verification failed",
    FailureKind.REVERT: "revert failed",
    FailureKind.GUARD: "not confirmed",
    FailureKind.BUDGET: "too many failures",
    FailureKind.UNSTAGED: "not staged",
    FailureKind.WORKLOADS: "would end containers",
    FailureKind.DRAIN: "not drained",
    FailureKind.NO_GENERATION: "nothing to undo",
    FailureKind.CLUSTER: "cluster failed",
    FailureKind.WORKER: "worker failed",
    FailureKind.BUG: "bug in fleet",
}


def failure_title(failure: Failure) -> str:
    """Return what failed in two or three words."""
    if failure.kind is FailureKind.HEALTH and failure.step is Step.PLAN:
        return "unhealthy before the rollout"
    return _TITLES[failure.kind]


def failure_line(failure: Failure) -> str:
    """Return a failure as one line that is safe to print: its message and its remedy."""
    return printable("; ".join(filter(None, (failure.message, failure.remedy))))


def print_failures(failures: Iterable[tuple[str, Failure]], out: Console, mark: str = "") -> None:
    """Print each failure once, after `mark` and its nodes, with its remedy and its evidence."""
    for group in group_failures(failures):
        where = f" ({group.address})" if group.address else ""
        text = f"{mark}{group.names}: {group.failure.message}{where}"
        out.print(printable(text), style="red")
        print_remedy(group.failure, out, "  ")
        print_evidence(group.failure, out)


def print_remedy(failure: Failure, out: Console, indent: str) -> None:
    """Print the remedy of a failure; a failure in an older journal has none."""
    if failure.remedy:
        out.print(f"{indent}remedy: {pasteable(printable(failure.remedy))}", style="bold")


def print_evidence(failure: Failure, out: Console) -> None:
    """Print the last lines of a failure's evidence."""
    for line in printable(failure.evidence).splitlines()[-_MOST_EVIDENCE:]:
        out.print(f"      | {line}", style="dim")
