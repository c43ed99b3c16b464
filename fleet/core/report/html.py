"""A report as one HTML page without outside resources, in light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fleet.core.history.gate_data import read_gate_event
from fleet.core.model.inventory import digest_text
from fleet.core.plan.pull_tests import unproven_text
from fleet.core.report.changes import applied_plans, registry_changes
from fleet.core.report.next_steps import next_steps
from fleet.core.report.style import MARKS, STYLE, TONES
from fleet.core.report.timeline import overview, timeline
from fleet.core.rollout.ending import gates_text
from fleet.core.selection.ranges import compress
from fleet.errors import printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser's policy: the page loads and runs nothing, whatever text a node sent."""


_FEW = 40
"""The number of nodes up to which each is shown; with more, details are on demand."""


def _shown(value: object) -> object:
    """Return the text of a value with its control characters visible; Jinja2 escapes it then."""
    return value if isinstance(value, Markup) else printable(str(value))


_ENVIRONMENT = Environment(
    loader=PackageLoader("fleet.core.report"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def html(report: Mapping[str, Any]) -> str:
    """Return the page of a report from `report_data`."""
    nodes = report["nodes"]
    matrix = _matrix(report["matrix"])
    return _ENVIRONMENT.get_template("report.html.j2").render(
        report={**report, "nodes": {name: {**_NODE, **node} for name, node in nodes.items()}},
        policy=POLICY,
        style=STYLE,
        tones=TONES,
        marks=MARKS,
        few=_FEW,
        began=str(report["started"])[:19].replace("T", " "),
        took=_duration(report["seconds"]),
        steps=tuple(next_steps(report)),
        gates=gates_text([read_gate_event(gate) for gate in report.get("gates", ())]),
        registries=registry_changes(report["plans"], nodes),
        applied=tuple(applied_plans(report["plans"], nodes, applied=True)),
        missing=tuple(applied_plans(report["plans"], nodes, applied=False)),
        unchanged=tuple(plan for plan in report["plans"] if not plan["changes"]),
        flags=report.get("given_flags", report["flags"]),
        failures=_failures(nodes),
        timeline=timeline(report, TONES),
        overview=overview(report, TONES) if len(nodes) > _FEW else "",
        matrix=matrix,
        versions=sorted({version for cells in matrix.values() for version in cells}),
        unproven=unproven_text({name: node.get("unproven", ()) for name, node in nodes.items()}),
        drains=any(node.get("drain") for node in nodes.values()),
        digests={path: digest_text(path, digest) for path, digest in report["files"].items()},
    )


_NODE = {"strategy": None, "containerd": None, "restarted": False, "seconds": 0, "drain": None}
"""The values of a node that has not been worked on."""


def _duration(seconds: float | None) -> Markup:
    if seconds is None:
        return Markup("not ended")
    minutes, rest = divmod(seconds, 60)
    if minutes:
        return Markup("took {} min {:.0f}&nbsp;s").format(int(minutes), rest)
    return Markup("took {:g}&nbsp;s").format(seconds)


@dataclass(frozen=True, slots=True)
class _FailureGroup:
    """A failure with all its nodes; `shared` is the evidence that all have, if they agree."""

    node_ranges: str
    nodes: int
    status: str
    kind: str
    step: str
    message: str
    remedy: str
    shared: tuple[str, ...]
    separate: Mapping[str, str]


def _failures(nodes: Mapping[str, Mapping[str, Any]]) -> list[_FailureGroup]:
    """Return each failure once, with all its nodes and the evidence of each."""
    groups: dict[tuple[str, str, str, str, str], dict[str, str]] = {}
    for name, node in nodes.items():
        failure = node.get("failure")
        if failure:
            kind, step, message, remedy = (
                str(failure.get(key) or "") for key in ("kind", "step", "message", "remedy")
            )
            evidence = groups.setdefault((node["status"], kind, step, message, remedy), {})
            evidence[name] = str(failure.get("evidence") or "")
    return [_failure_group(*key, evidence) for key, evidence in groups.items()]


def _failure_group(
    status: str, kind: str, step: str, message: str, remedy: str, evidence: Mapping[str, str]
) -> _FailureGroup:
    separate = {name: text for name, text in evidence.items() if text}
    texts = tuple(dict.fromkeys(separate.values()))
    alike = len(texts) < 2
    return _FailureGroup(
        node_ranges=compress(evidence),
        nodes=len(evidence),
        status=status,
        kind=kind,
        step=step,
        message=message,
        remedy=remedy,
        shared=texts if alike else (),
        separate={} if alike else separate,
    )


def _matrix(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """Return the counts of nodes by strategy and by release of containerd."""
    cells: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        versions = cells.setdefault(row["strategy"], {})
        versions.setdefault(row["containerd"], []).append(row)
    return dict(sorted(cells.items()))
