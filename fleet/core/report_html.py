"""A rollout's report as one page that needs nothing else: readable offline, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from fleet.core.report_timeline import timeline
from fleet.errors import printable

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5b6675; --line: #d6dce4; --ground: #fff;
  --panel: #f5f7fa; --good: #1a7f4b; --warn: #9a6200; --bad: #c02434; --busy: #2660b8;
  --stage: #b9c6d8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --dim: #9aa6b5; --line: #333d4a;
  --ground: #12171e; --panel: #1a212b; --good: #4cc38a; --warn: #e0a63a; --bad: #ff7b86;
  --busy: #76a9ff; --stage: #48566a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.dim { color: var(--dim); } code, pre { font: 13px/1.45 ui-monospace, monospace; }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.2rem 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem 1rem; min-width: 7rem; } .card b { display: block; font-size: 1.5rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--dim); font-weight: 600; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; } td.number { text-align: right; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
.add { color: var(--good); } .del { color: var(--bad); } .at { color: var(--busy); }
details { margin: .4rem 0; } summary { cursor: pointer; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui; }
svg .dim { fill: var(--dim); } svg .grid { stroke: var(--line); }
svg .stage { fill: var(--stage); } svg .good { fill: var(--good); } svg .warn { fill: var(--warn); }
svg .bad { fill: var(--bad); } svg .busy { fill: var(--busy); }
"""
TONES = {
    "converged": "good",
    "unchanged": "good",
    "rolled_back": "warn",
    "stale": "warn",
    "pending": "dim",
    "failed": "bad",
    "unreachable": "bad",
    "degraded": "bad",
}


def html(report: Mapping[str, Any]) -> str:
    """Return the page."""
    title = f"fleet {report['kind']} {report['rollout']}"
    body = "".join(
        (
            _head(report),
            _section("Timeline", timeline(report, TONES)),
            _section("Failures", _failures(report["nodes"])),
            _section("Nodes", _nodes(report["nodes"])),
            _section("Strategy and containerd", _matrix(report["matrix"])),
            _section("Verification pulls", _mirrors(report["mirrors"])),
            _section("Changes", "".join(_plans(report["plans"]))),
            _section("Files and flags", _about(report)),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _e(text: object) -> str:
    """Show a text, whoever wrote it: escaped for the page, control characters spelt out."""
    return escape(printable(str(text)))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _head(report: Mapping[str, Any]) -> str:
    tone = {"finished": "good", "halted": "bad"}.get(report["status"], "warn")
    took = f"{report['seconds']:g} s" if report["seconds"] is not None else "not ended"
    cards = "".join(
        f'<div class="card"><b class="{TONES.get(status, "")}">{number}</b>{_e(status)}</div>'
        for status, number in sorted(report["counts"].items())
    )
    reason = f'<p class="{tone}">{_e(report["reason"])}</p>' if report["reason"] else ""
    return (
        f'<header><h1>{_e(report["kind"])} <span class="{tone}">{_e(report["status"])}</span></h1>'
        f'<p class="dim">{_e(report["rollout"])}, by {_e(report["operator"])}, began'
        f" {_e(str(report['started'])[:19].replace('T', ' '))} UTC, {took}</p>{reason}"
        f'<div class="cards">{cards}</div></header>'
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of cells that are HTML already."""
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _status(status: str) -> str:
    return f'<span class="{TONES.get(status, "")}">{_e(status)}</span>'


def _nodes(nodes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            _e(name),
            _status(each["status"]),
            _e(each.get("strategy") or "-"),
            _e(each.get("containerd") or "-"),
            "yes" if each.get("restarted") else "no",
            f"{each['seconds']:g} s" if each.get("seconds") else "-",
        )
        for name, each in nodes.items()
    ]
    table = _table(("node", "status", "strategy", "containerd", "restarted", "took"), rows)
    if len(rows) <= 40:
        return table
    return f"<details><summary>all {len(rows)} nodes</summary>{table}</details>"


def _failures(nodes: Mapping[str, Mapping[str, Any]]) -> str:
    parts = []
    for name, each in nodes.items():
        failure = each.get("failure")
        if not failure:
            continue
        evidence = failure.get("evidence")
        shown = f"<pre>{_e(evidence)}</pre>" if evidence else ""
        parts.append(
            f"<p><b>{_e(name)}</b> {_status(each['status'])}: {_e(failure['kind'])} at"
            f" {_e(failure['step'])}: {_e(failure['message'])}</p>{shown}"
        )
    return "".join(parts)


def _matrix(rows: Iterable[Mapping[str, Any]]) -> str:
    return _table(
        ("strategy", "containerd", "status", "nodes"),
        [
            (_e(row["strategy"]), _e(row["containerd"]), _status(row["status"]), str(row["nodes"]))
            for row in rows
        ],
    )


def _mirrors(rows: Iterable[Mapping[str, Any]]) -> str:
    return _table(
        ("image", "served by", "via", "pulls", "failed", "median", "slowest"),
        [
            (
                _e(row["image"]),
                _e(row["mirror"]),
                _e(row["via"]),
                str(row["pulls"]),
                str(row["failed"]),
                f"{row['median']:g} s",
                f"{row['slowest']:g} s",
            )
            for row in rows
        ],
    )


def _plans(plans: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for plan in plans:
        changes = plan["changes"]
        diffs = "".join(f"<pre>{''.join(_diff(change['diff']))}</pre>" for change in changes)
        notes = "".join(f'<p class="warn">{_e(note)}</p>' for note in plan["notes"])
        yield (
            f"<details><summary><b>{_e(plan['folded'])}</b> ({len(plan['nodes'])}):"
            f" {_e(plan['strategy'] or '-')}, {_e(plan['disruption'])}, {len(changes)} files"
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
