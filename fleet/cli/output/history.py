"""Past rollouts as text and as data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.outcome import still_cordoned, still_locked
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.gate_data import read_gate_event
from fleet.core.history.serialize import read_outcome
from fleet.core.model.inventory import digest_text
from fleet.core.plan.pull_tests import unproven_text
from fleet.core.rollout.ending import gates_text
from fleet.errors import printable


def show_history(
    rollouts: list[dict[str, Any]], rollout: str | None, node: str | None, settings: Settings
) -> None:
    """Print all rollouts, or one rollout node by node, or all rollouts that changed one node."""
    if rollout is not None:
        _print_one(rollouts[0], settings)
    elif node is not None and not settings.as_json:
        _print_node(rollouts, node, settings)
    else:
        _print_all(rollouts, settings)


def _print_node(rollouts: list[dict[str, Any]], node: str, settings: Settings) -> None:
    """Print the rollouts of one node, with their operators and files."""
    if not rollouts:
        settings.say(f"The journal has no rollout that included node {node!r}.")
        return
    rows = [
        (
            rollout["rollout"],
            rollout["kind"],
            rollout["operator"],
            _words(rollout["nodes"][node]["status"]),
            rollout["message"],
            str(rollout["nodes"][node]["at"] or rollout["started"])[:19],
            str(rollout["nodes"][node].get("generation") or "-"),
            " ".join(f"{path} {digest_text(path, digest)[:8]}" for path, digest in _files(rollout)),
        )
        for rollout in rollouts
    ]
    more = ("AT (UTC)", "GENERATION", "FILES, BY SHA-256")
    columns = ("ID", "KIND", "BY", "STATUS", "MESSAGE", *more)
    table(columns, rows, console(color=settings.color), settings.hidden(*more))


def _files(rollout: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(Path(path).name, digest) for path, digest in rollout["files"].items()]


def _words(status: str) -> str:
    """Return a status of a journal, perhaps of a newer release, as people read it."""
    return status.replace("_", " ")


def _status_counts(data: dict[str, Any]) -> str:
    counts = Counter(node["status"] for node in data["nodes"].values())
    held = sum(bool(node.get("held")) for node in data["nodes"].values())
    counted = [f"{number} {_words(status)}" for status, number in sorted(counts.items())]
    return ", ".join([*counted, f"{held} still locked"] if held else counted)


def _print_all(rollouts: list[dict[str, Any]], settings: Settings) -> None:
    if settings.as_json:
        print_json({"rollouts": rollouts})
        return
    rows = [
        (rollout["rollout"], rollout["kind"], rollout["operator"], rollout["ending"],
         _status_counts(rollout), rollout["started"][:19], rollout["message"])
        for rollout in rollouts
    ]  # fmt: skip
    columns = ("ID", "KIND", "BY", "STATUS", "NODES", "STARTED (UTC)", "MESSAGE")
    hidden = settings.hidden("STARTED (UTC)")  # an ID begins with that time
    table(columns, rows, console(color=settings.color), hidden)


def _print_one(data: dict[str, Any], settings: Settings) -> None:
    if settings.as_json:
        print_json(data)
        return
    out = console(color=settings.color)
    shown = {**data, "status": data["ending"]}
    for key in ("rollout", "kind", "started", "ended", "operator", "message", "status", "reason"):
        out.print(f"{key}: {printable(str(shown[key] or '-'))}")
    for path, digest in data["files"].items():
        out.print(_file_line(path, digest))
    outcomes = [read_outcome(name, node) for name, node in data["nodes"].items()]
    rows = [
        (outcome.node, _words(node["status"]), str(node.get("strategy") or "-"),
         str(node.get("seconds") or "-"))
        for outcome, node in zip(outcomes, data["nodes"].values(), strict=True)
    ]  # fmt: skip
    columns = ("NODE", "STATUS", "STRATEGY", "SECONDS")
    table(columns, rows, out, settings.hidden("STRATEGY", "SECONDS"))
    print_failures(
        ((outcome.node, outcome.failure) for outcome in outcomes if outcome.failure), out
    )
    if unproven := unproven_text({outcome.node: outcome.unproven for outcome in outcomes}):
        out.print(unproven, style="yellow")
    for text in gates_text([read_gate_event(gate) for gate in data.get("gates", ())]):
        out.print(printable(text), style="dim")
    if locked := still_locked(outcomes, data["rollout"]):
        out.print(locked, style="yellow")
    if cordoned := still_cordoned(outcomes, data["rollout"]):
        out.print(cordoned, style="yellow")


def _file_line(path: str, digest: str | None) -> str:
    text = digest_text(path, digest)[:12]
    return f"file: {path} {text}" if text.startswith("(") else f"file: {path} sha256:{text}"
