"""The facts of probed nodes as text and as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.plan import finding_line, finding_style
from fleet.cli.output.states import print_states
from fleet.cli.output.tables import console, print_json, table
from fleet.core.history.serialize import failure_data
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node_state import NodeState
from fleet.core.plan.state import node_state, unread_state
from fleet.core.selection.ranges import compress
from fleet.engine.survey import NodeSurvey
from fleet.errors import printable


def show_probed(
    examined: Sequence[tuple[NodeSurvey, dict[str, Any] | None]], settings: Settings
) -> None:
    """Print the facts of every node, and its state compared with mirrors.yaml."""
    if settings.as_json:
        nodes = {result.node.name: _probe_data(result, data) for result, data in examined}
        print_json({"nodes": nodes})
    else:
        _print_probe(examined, settings)


def _probe_data(result: NodeSurvey, data: dict[str, Any] | None) -> dict[str, Any]:
    failure = result.plan.failure
    return data or {"state": str(unread_state(failure)), "failure": failure_data(failure)}


def _print_probe(
    examined: Sequence[tuple[NodeSurvey, dict[str, Any] | None]], settings: Settings
) -> None:
    out = console(color=settings.color)
    columns = ("NODE", "STATE", "CONTAINERD", "STRATEGY", "REGISTRY CONFIG", "CRI", "CRICTL", "OS")
    hidden = settings.hidden("REGISTRY CONFIG", "CRICTL", "OS")
    table(columns, [_probe_row(*result) for result in examined], out, hidden)
    for text, style, names in _remarks([result for result, _ in examined]):
        out.print(f"{compress(names)}: {text}", style=style)
    print_failures(
        ((result.node.name, result.plan.failure) for result, _ in examined if result.plan.failure),
        out,
    )
    read, unread = _states(result for result, _ in examined)
    print_states(read, unread, out)


def _states(surveys: Iterable[NodeSurvey]) -> tuple[list[NodeState], list[NodeState]]:
    """Return the states of the nodes that were read, and of those that were not."""
    read: list[NodeState] = []
    unread: list[NodeState] = []
    for survey in surveys:
        states = unread if survey.facts is None else read
        states.append(node_state(survey.facts, survey.plan))
    return read, unread


def _remarks(surveys: Sequence[NodeSurvey]) -> list[tuple[str, str, list[str]]]:
    """Return each note and each conflict once, with its color and its nodes."""
    groups: dict[tuple[str, str], list[str]] = {}
    for survey in surveys:
        notes = [(f"note: {printable(note)}", "yellow") for note in survey.plan.notes]
        findings = [
            (finding_line(finding), finding_style(finding)) for finding in survey.plan.findings
        ]
        for remark in (*notes, *findings):
            groups.setdefault(remark, []).append(survey.node.name)
    return [(text, style, names) for (text, style), names in groups.items()]


def _probe_row(result: NodeSurvey, data: dict[str, Any] | None) -> tuple[str, ...]:
    if result.facts is None or data is None:
        return (
            result.node.name,
            str(unread_state(result.plan.failure)),
            "",
            "",
            "",
            "",
            "",
            "",
        )
    return (
        result.node.name,
        str(data["state"]),
        _versions(result.facts),
        str(data["strategy"] or "-"),
        str(data["registry_config"] or "none"),
        f"{result.facts.cri.state} ({result.facts.daemon.unit.active})",
        str(data["crictl"] or "-"),
        result.facts.machine.distribution,
    )


def _versions(facts: NodeFacts) -> str:
    running, installed = facts.daemon.running_version, facts.daemon.installed_version
    if running is None:
        return f"{installed or '-'} (not running)"
    same = installed is None or installed.release == running.release
    return str(running) if same else f"{running} (installed: {installed})"
