"""The results of verification pulls as text and as data."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.cli.options import Settings
from fleet.cli.output.outcome import print_outcomes, verdict_words
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.serialize import outcome_data
from fleet.core.model.outcome import LivenessState, NodeOutcome
from fleet.core.selection.sample import CONFIDENCE, Sample
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
        (outcome.node, pull.image, verdict_words(pull) if pull.ok else "FAILED",
         pull.via, f"{pull.seconds:.2f} s", f"{pull.size} B", pull.detail)
        for outcome in outcomes
        for pull in outcome.verified
    ]  # fmt: skip
    table(("NODE", "IMAGE", "VERDICT", "BY", "TIME", "SIZE", "NOTE"), rows, out)
    for outcome in outcomes:
        if outcome.liveness is not None and outcome.liveness.state is not LivenessState.LIVE:
            state, output = outcome.liveness.state, outcome.liveness.output
            text = f"{outcome.node}: the daemon's folder: {state}: {output}"
            out.print(printable(text), style="red")
    print_outcomes([outcome for outcome in outcomes if outcome.failure is not None], out)
    if chosen is not None:
        out.print(_sample_line(chosen))


def _sample_data(chosen: Sample) -> dict[str, object]:
    about = {"nodes": len(chosen.names), "of": chosen.total, "confidence": CONFIDENCE}
    return {**about, "at_most_ill": chosen.at_most}


def _sample_line(chosen: Sample) -> str:
    """Return a line on how many of all nodes can be bad if no node of the sample failed."""
    return (
        f"A sample of {len(chosen.names)} of {chosen.total} nodes: if all of these are well,"
        f" at most {chosen.at_most} of all are not ({CONFIDENCE:.0%} confidence)."
    )
