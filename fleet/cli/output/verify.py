"""The results of verification pulls as text and as data."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.outcome import verdict_words
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.serialize import outcome_data
from fleet.core.model.outcome import LivenessState, NodeOutcome
from fleet.core.selection.sample import CONFIDENCE, Sample
from fleet.core.text.counts import counted
from fleet.errors import printable


def show_verified(
    outcomes: Sequence[NodeOutcome], settings: Settings, chosen: Sample | None = None
) -> None:
    """Print the results of pulls; for a sample, print what it shows about all nodes."""
    if settings.as_json:
        nodes = {"nodes": {outcome.node: outcome_data(outcome) for outcome in outcomes}}
        print_json({**nodes, "sample": _sample_data(chosen)} if chosen else nodes)
        return
    out = console(color=settings.color)
    rows = [
        (outcome.node, pull.image, verdict_words(pull) if pull.ok else "failed",
         pull.via, f"{pull.seconds:.2f} s", f"{pull.size} B",
         (pull.detail.strip().splitlines() or [""])[-1])
        for outcome in outcomes
        for pull in outcome.verified
    ]  # fmt: skip
    columns = ("NODE", "IMAGE", "RESULT", "BY", "TIME", "SIZE", "NOTE")
    if rows:
        table(columns, rows, out, settings.hidden("BY", "TIME", "SIZE"))
    for outcome in outcomes:
        if outcome.liveness is not None and outcome.liveness.state is not LivenessState.LIVE:
            state, output = outcome.liveness.state, outcome.liveness.output
            text = f"{outcome.node}: the daemon's folder: {state}: {output}"
            out.print(printable(text), style="red")
    print_failures(
        ((outcome.node, outcome.failure) for outcome in outcomes if outcome.failure), out, "! "
    )
    if chosen is not None:
        good = all(outcome.failure is None for outcome in outcomes)
        out.print(_sample_line(chosen, good=good))


def _sample_data(chosen: Sample) -> dict[str, object]:
    about = {"nodes": len(chosen.names), "of": chosen.total, "confidence": CONFIDENCE}
    return {**about, "at_most_unhealthy": chosen.at_most}


def _sample_line(chosen: Sample, *, good: bool) -> str:
    """Return a line on how many of all nodes can be broken; `good` if no sampled node failed."""
    nodes = counted(len(chosen.names), "sampled node")
    if not good:
        return f"{nodes} of {chosen.total} tested. The failures show nothing about the others."
    return (
        f"All {nodes} passed: at most {chosen.at_most} of {chosen.total} can be broken"
        f" ({CONFIDENCE:.0%} confidence)."
    )
