"""Failures as text: what happened and where, the remedy on a line of its own, the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.core.failure import Failure
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

_MOST_EVIDENCE = 8
"""The most lines of evidence that are shown: the last ones, which usually name the cause."""


def failure_place(failure: Failure) -> str:
    """Return "KIND at STEP" for a failure; only the kind if the step has the same name."""
    kind, step = str(failure.kind), str(failure.step)
    return kind if kind == step else f"{kind} at {step}"


def failure_line(failure: Failure) -> str:
    """Return a failure as one line that is safe to print: its message and its remedy."""
    return printable("; ".join(filter(None, (failure.message, failure.remedy))))


def print_failure(head: str, failure: Failure, out: Console, indent: str = "") -> None:
    """Print a failure's message after `head`, and below it its remedy."""
    out.print(f"{indent}{head}: {printable(failure.message)}", style="red")
    print_remedy(failure, out, f"{indent}  ")


def print_remedy(failure: Failure, out: Console, indent: str) -> None:
    """Print the remedy of a failure; a failure in an older journal has none."""
    if failure.remedy:
        out.print(f"{indent}remedy: {printable(failure.remedy)}", style="bold")


def print_evidence(failure: Failure, out: Console) -> None:
    """Print the last lines of a failure's evidence."""
    for line in printable(failure.evidence).splitlines()[-_MOST_EVIDENCE:]:
        out.print(f"      | {line}", style="dim")
