"""The timeline of a rollout as SVG: the working time of each node, by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import repeat
from typing import Any

from fleet.core.text.counts import counted
from fleet.errors import printable

_MOST = 300


_ROW, _LEFT, _WIDTH, _TOP = 22, 170, 780, 34


def timeline(report: Mapping[str, Any], tones: Mapping[str, str]) -> str:
    """Return the picture, one row per node; of very many nodes the first few hundred."""
    nodes = {name: node for name, node in report["nodes"].items() if node["steps"]}
    if not nodes:
        return ""
    ends = [step["ended"] or step["began"] for node in nodes.values() for step in node["steps"]]
    total = max(*ends, 0.1)
    shown = dict(list(nodes.items())[:_MOST])
    rows = (
        part
        for number, (name, node) in enumerate(shown.items())
        for part in _row(number, name, node, total, tones)
    )
    picture = _picture(report, total, len(shown), rows)
    more = len(nodes) - len(shown)
    note = f'<p class="dim">and {counted(more, "more node")}</p>' if more > 0 else ""
    return (
        f"{picture}{note}"
        '<p class="dim">Grey: staging. Colored: activation, verification and confirmation; the'
        " color shows the outcome. Lines: batches.</p>"
    )


def overview(report: Mapping[str, Any], tones: Mapping[str, str]) -> str:
    """Return the picture of a large rollout, one row per batch in its worst status's colour."""
    bars = [bar for bar in map(_Bar.of, report["batches"], repeat(report["nodes"])) if bar]
    if not bars:
        return ""
    total = max(*(bar.ended for bar in bars), 0.1)
    rows = (part for number, bar in enumerate(bars) for part in bar.draw(number, total, tones))
    return _picture(report, total, len(bars), rows)


@dataclass(frozen=True, slots=True)
class _Bar:
    """One batch: its start and end in seconds, and the number of nodes by status."""

    label: str
    began: float
    ended: float
    counts: Mapping[str, int]

    @classmethod
    def of(cls, batch: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> _Bar | None:
        if batch["began"] is None:
            return None
        members = [nodes[name] for name in batch["nodes"] if name in nodes]
        ends = [step["ended"] for node in members for step in node["steps"] if step["ended"]]
        counts = Counter(node["status"] for node in members)
        label = f"batch {batch['number']} ({len(members)})"
        return cls(label, batch["began"], max((*ends, batch["began"])), counts)

    def draw(self, number: int, total: float, tones: Mapping[str, str]) -> Iterator[str]:
        y = _TOP + number * _ROW
        summary = ", ".join(
            f"{count} {status}".replace("_", " ") for status, count in sorted(self.counts.items())
        )
        grave = {tones.get(status) for status in self.counts}
        tone = next(
            (candidate for candidate in ("bad", "warn", "good") if candidate in grave), "busy"
        )
        x, end = _x(self.began, total), _x(self.ended, total)
        yield f'<text x="{_LEFT - 10}" y="{y + 11}" text-anchor="end">{escape(self.label)}</text>'
        yield (
            f'<rect class="{tone}" x="{x}" y="{y}" width="{max(2.0, round(end - x, 1))}"'
            f' height="14" rx="3"><title>{escape(summary)}</title></rect>'
        )
        before = end > _LEFT + _WIDTH - 260
        place = f'x="{x - 6}" text-anchor="end"' if before else f'x="{end + 6}"'
        yield f'<text class="dim" y="{y + 11}" {place}>{escape(summary)}</text>'


def _picture(report: Mapping[str, Any], total: float, rows: int, parts: Iterable[str]) -> str:
    height = _TOP + _ROW * rows + 8
    drawn = "".join((*_grid(total, height), *_batches(report, total, height), *parts))
    return (
        '<div class="scroll" tabindex="0"><svg role="img"'
        ' aria-label="the work on each node over time"'
        f' viewBox="0 0 {_LEFT + _WIDTH + 20} {height}">{drawn}</svg></div>'
    )


def _x(seconds: float, total: float) -> float:
    return round(_LEFT + seconds / total * _WIDTH, 1)


def _grid(total: float, height: int) -> Iterator[str]:
    step = next(seconds for seconds in _nice() if total / seconds <= 8)
    mark = 0.0
    while mark <= total:
        x = _x(mark, total)
        yield f'<line class="grid" x1="{x}" y1="20" x2="{x}" y2="{height}"/>'
        yield f'<text class="dim" x="{x}" y="14" text-anchor="middle">{mark:g} s</text>'
        mark += step


def _nice() -> Iterator[float]:
    scale = 1.0
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10


def _batches(report: Mapping[str, Any], total: float, height: int) -> Iterator[str]:
    for batch in report["batches"]:
        if batch["began"] is not None:
            x = _x(batch["began"], total)
            yield (
                f'<line class="grid" stroke-width="2" x1="{x}" y1="20" x2="{x}" y2="{height}">'
                f"<title>batch {batch['number']}</title></line>"
            )


def _row(
    number: int, name: str, node: Mapping[str, Any], total: float, tones: Mapping[str, str]
) -> Iterator[str]:
    y = _TOP + number * _ROW
    label = escape(printable(name if len(name) < 24 else f"{name[:22]}…"))
    yield f'<text x="{_LEFT - 10}" y="{y + 11}" text-anchor="end">{label}</text>'
    for step in node["steps"]:
        end = step["ended"] if step["ended"] is not None else total
        x, width = _x(step["began"], total), max(2.0, _x(end, total) - _x(step["began"], total))
        staged = step["step"] == "stage" and step["status"] in {"staged", None}
        tone = "stage" if staged else tones.get(str(step["status"]), "busy")
        title = (
            f"{name}: {step['step']}, {step['began']:g} to {end:g} s, {step['status'] or 'open'}"
        )
        title = escape(printable(title))
        yield (
            f'<rect class="{tone}" x="{x}" y="{y}" width="{round(width, 1)}" height="14" rx="3">'
            f"<title>{title}</title></rect>"
        )
