"""A report as one HTML page without outside resources, in light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from fleet.core.plan.pull_tests import unproven_text
from fleet.core.report.style import MARKS, STYLE, TONES
from fleet.core.report.timeline import overview, timeline
from fleet.core.selection.ranges import compress
from fleet.errors import printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser's policy: the page loads and runs nothing, whatever text a node sent."""


_FEW = 40
"""The number of nodes up to which each is shown; with more, details are on demand."""


def html(report: Mapping[str, Any]) -> str:
    """Return the page of a report from `report_data`."""
    title = f"fleet {report['kind']} {report['rollout']}"
    body = "".join(
        (
            _head(report),
            _section("Failures", "".join(_failures(report["nodes"]))),
            _section("Timeline", _timeline(report)),
            _section("Nodes", _nodes(report["nodes"])),
            _section("Strategy and containerd", _matrix(report["matrix"])),
            _section("Verification pulls", _pulls(report)),
            _section("Changes", "".join(_plans(report["plans"]))),
            _section("Files and flags", _about(report)),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{_e(title)}</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _e(text: object) -> str:
    """Return any text escaped for the page, with control characters made visible."""
    return escape(printable(str(text)))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _timeline(report: Mapping[str, Any]) -> str:
    """Return one row per node; for many nodes one row per batch, with the nodes on demand."""
    picture = timeline(report, TONES)
    if len(report["nodes"]) <= _FEW or not picture:
        return picture
    nodes = f"<details><summary>node by node</summary>{picture}</details>"
    return f"{overview(report, TONES)}{nodes}"


def _head(report: Mapping[str, Any]) -> str:
    tone = {"finished": "good", "halted": "bad"}.get(report["status"], "warn")
    took = f"took {_duration(report['seconds'])}" if report["seconds"] is not None else "not ended"
    cards = "".join(
        f'<div class="card"><b class="{TONES.get(status, "")}">{number}</b>'
        f"{MARKS.get(status, '')} {_e(status)}</div>"
        for status, number in sorted(report["counts"].items())
    )
    reason = f'<p class="{tone}">{_e(report["reason"])}</p>' if report["reason"] else ""
    return (
        f'<header><h1>{_e(report["kind"])} <span class="{tone}">{_e(report["status"])}</span></h1>'
        f'<p class="dim">{_e(report["rollout"])}, by {_e(report["operator"])}, began'
        f" {_e(str(report['started'])[:19].replace('T', ' '))} UTC, {took}</p>{reason}"
        f'<div class="cards">{cards}</div></header>'
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {rest:.0f}\u00a0s" if minutes else f"{seconds:g}\u00a0s"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are HTML already."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _status(status: str) -> str:
    return f'<span class="{TONES.get(status, "")}">{MARKS.get(status, "")} {_e(status)}</span>'


def _nodes(nodes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            _e(name),
            _status(node["status"]),
            _e(node.get("strategy") or "-"),
            _e(node.get("containerd") or "-"),
            "yes" if node.get("restarted") else "no",
            f"{node['seconds']:g} s" if node.get("seconds") else "-",
        )
        for name, node in nodes.items()
    ]
    table = _table(("node", "status", "strategy", "containerd", "restarted", "took"), rows)
    if len(rows) <= _FEW:
        return table
    return f"<details><summary>all {len(rows)} nodes</summary>{table}</details>"


def _failures(nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield each failure once, with all its nodes and the evidence of each."""
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for name, node in nodes.items():
        failure = node.get("failure")
        if failure:
            texts = (str(failure.get(key) or "") for key in ("kind", "step", "message"))
            evidence = groups.setdefault((node["status"], *texts), {})
            evidence[name] = str(failure.get("evidence") or "")
    for (status, kind, step, message), evidence in groups.items():
        count = f" ({len(evidence)})" if len(evidence) > 1 else ""
        yield (
            f'<p class="names"><b>{_e(compress(evidence))}</b>{count} {_status(status)}: {_e(kind)}'
            f" at {_e(step)}: {_e(message)}</p>{''.join(_evidence(evidence))}"
        )


def _evidence(evidence: Mapping[str, str]) -> Iterator[str]:
    """Yield the evidence of one node, and that of the others on demand."""
    shown = {name: text for name, text in evidence.items() if text}
    alike = len(set(shown.values())) < 2
    for number, (name, text) in enumerate(shown.items()):
        if number == 0 and (alike or len(shown) == 1):
            yield f"<pre>{_e(text)}</pre>"
            return
        block = f"<pre>{_e(text)}</pre>"
        mark = " open" if number == 0 else ""
        yield f"<details{mark}><summary>{_e(name)} said</summary>{block}</details>"


def _matrix(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table of strategies by release of containerd."""
    cells: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        text = f"{row['nodes']} {_status(row['status'])}"
        cells.setdefault((row["strategy"], row["containerd"]), []).append(text)
    versions = sorted({version for _, version in cells})
    lines = [
        (_e(strategy), *("<br>".join(cells.get((strategy, version), ())) for version in versions))
        for strategy in sorted({strategy for strategy, _ in cells})
    ]
    return _table(("strategy", *map(_e, versions)), lines)


def _pulls(report: Mapping[str, Any]) -> str:
    """Return the table of pulls, and the changed registries that no pull has proven."""
    nodes = {name: node.get("unproven", ()) for name, node in report["nodes"].items()}
    unproven = unproven_text(nodes)
    note = f'<p class="names warn">{_e(unproven)}</p>' if unproven else ""
    return _mirrors(report["mirrors"]) + note


def _mirrors(rows: Sequence[Mapping[str, Any]]) -> str:
    most = max((row["slowest"] for row in rows), default=0) or 1
    return _table(
        ("image", "served by", "via", "pulls", "failed", "median", "slowest"),
        [
            (
                _e(row["image"]),
                _e(row["mirror"]),
                _e(row["via"]),
                str(row["pulls"]),
                f'<span class="bad">{row["failed"]}</span>' if row["failed"] else "0",
                f'<span class="bar" style="width: {row["median"] / most * 6:.2f}rem"></span>'
                f"{row['median']:.2f} s",
                f"{row['slowest']:.2f} s",
            )
            for row in rows
        ],
    )


def _plans(plans: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for plan in plans:
        changes = plan["changes"]
        diffs = "".join(f"<pre>{''.join(_diff(change['diff']))}</pre>" for change in changes)
        notes = "".join(f'<p class="warn">{_e(note)}</p>' for note in plan["notes"])
        files = "no change" if not changes else f"{len(changes)} file{'s'[: len(changes) > 1]}"
        cost = f", {'restart' if plan['disruption'] == 'restart' else 'no restart'}"
        yield (
            f'<details><summary class="names"><b>{_e(plan["folded"])}</b> ({len(plan["nodes"])}):'
            f" {_e(plan['strategy'] or 'no strategy')}, {files}{cost if changes else ''}"
            f"</summary>{notes}{diffs}</details>"
        )


def _diff(text: str) -> Iterator[str]:
    tones = {"+": "add", "-": "del", "@": "at"}
    for line in text.split("\n"):
        tone = tones.get(line[:1])
        yield f'<span class="{tone}">{_e(line)}</span>\n' if tone else f"{_e(line)}\n"


def _about(report: Mapping[str, Any]) -> str:
    files = [
        (_e(path), f"<code>{_e(digest or 'missing')}</code>")
        for path, digest in report["files"].items()
    ]
    flags = [(_e(key), f"<code>{_e(value)}</code>") for key, value in report["flags"].items()]
    return _table(("file", "SHA-256"), files) + _table(("flag", "value"), flags)
