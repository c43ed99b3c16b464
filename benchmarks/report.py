"""Tables for people, and the sections of the page on performance that hold them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmarks.sample import Figures, Sample, by_key, figures

LIMIT = "sshtar-cv"
_HEAD = (
    "| peer | runs | wall s | wall / limit | client CPU s | ms a node | client MB | node CPU s |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|\n"
)


def all_figures(samples: Iterable[Sample]) -> list[Figures]:
    """Return the medians, by nodes and scenario, the quickest first."""
    found = [each for runs in by_key(samples).values() if (each := figures(runs))]
    order = {"W": 0, "W0": 1, "Wd": 2}
    return sorted(found, key=lambda f: (f.key.nodes, order.get(f.key.scenario, 9), f.wall))


def comparison(samples: Iterable[Sample]) -> str:
    """Return one table for each number of nodes and scenario."""
    tables: dict[tuple[int, str], list[Figures]] = {}
    for each in all_figures(samples):
        tables.setdefault((each.key.nodes, each.key.scenario), []).append(each)
    return "\n".join(_table(*about, rows) for about, rows in tables.items())


def _table(nodes: int, scenario: str, rows: Sequence[Figures]) -> str:
    limit = next((each.wall for each in rows if each.key.peer == LIMIT), None)
    lines = "".join(f"{_row(each, limit)}\n" for each in rows)
    return f"**{scenario}, {nodes} node{'s' if nodes > 1 else ''}**\n\n{_HEAD}{lines}"


def _row(each: Figures, limit: float | None) -> str:
    ratio = f"{each.wall / limit:.2f}" if limit else ""
    cells = (
        each.key.peer,
        each.marked,
        f"{each.wall:.2f}",
        ratio,
        f"{each.client_cpu:.2f}",
        f"{1000 * each.client_cpu / each.key.nodes:.0f}",
        f"{each.client_mb:.0f}",
        f"{each.node_cpu / each.key.nodes:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def failures(samples: Iterable[Sample]) -> list[str]:
    """Return what went wrong: runs that did not reach the end state."""
    return [
        f"{each.key.peer}, {each.key.scenario}, {each.key.nodes} nodes: {each.trouble}"
        for each in samples
        if each.trouble
    ]


def placed(page: str, name: str, text: str) -> str:
    """Put a text into a page, between the marks of a section; raise a ValueError without them."""
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    if first not in page or last not in page:
        raise ValueError(f"the page has no section {first} ... {last}")
    pattern = f"{re.escape(first)}.*?{re.escape(last)}"
    return re.sub(pattern, lambda _: f"{first}\n{text.strip()}\n{last}", page, flags=re.DOTALL)
