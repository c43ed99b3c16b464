"""The output of a mirror test: a matrix of sites, faults, and the ranking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fleet.actions.mirrors import MirrorTestResult
from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.fitting import padded
from fleet.cli.output.mirrors_data import NO_SITE, Matrix, data, matrix_of
from fleet.cli.output.tables import console, print_json, table
from fleet.core.mirrors.check import Diagnosis
from fleet.core.mirrors.ranking import Rank, Ranking, shown_time
from fleet.core.selection.ranges import compress
from fleet.engine.mirrors import SiteTested
from fleet.errors import columns, printable

if TYPE_CHECKING:
    from rich.console import Console

_SKEW = 300
"""Seconds by which a node's clock may differ from this machine's without a note."""
_GAP = 2
"""Blanks between the columns of a table."""


def show_test(result: MirrorTestResult, settings: Settings, *, write: bool) -> None:
    """Print the results as text or as JSON, with the written or the proposed orders."""
    if settings.as_json:
        print_json(data(result.nodes, result.ranked, result.moved))
        return
    out = console(color=settings.color)
    _print_results(result, settings, out)
    _print_orders(result, settings, out, write=write)


def _print_orders(
    result: MirrorTestResult, settings: Settings, out: Console, *, write: bool
) -> None:
    for reorder in result.moved:
        order = ", ".join(f"{url} (was {number})" for number, url in reorder.order)
        if reorder.written:
            out.print(f"{settings.mirrors}: {reorder.place} is now {order}", style="bold")
        else:
            text = f"{settings.mirrors}: {reorder.place} stays: {reorder.reason}"
            out.print(text, style="yellow")
    if not any(ranking.moves for ranking in result.ranked):
        return
    if not write:
        out.print(f"`--write` puts the suggested order into {settings.mirrors}")
    elif not result.moved:
        out.print(f"{settings.mirrors} holds no such list in a form that is written back")


def _print_results(result: MirrorTestResult, settings: Settings, out: Console) -> None:
    results = result.nodes
    matrix = matrix_of(results)
    if matrix:
        _print_matrix(matrix, out)
    _print_faults(results, out)
    _print_notes(results, out)
    _print_ranking(result.ranked, settings, out)
    failures = ((result.node, result.failure) for result in results if result.failure)
    print_failures(failures, out, "! ")


# -- the matrix ----------------------------------------------------------------------------------


def _print_matrix(matrix: Matrix, out: Console) -> None:
    """Print as many sites side by side as fit the terminal, then the others below.

    An endpoint that is wider than its column has a line of its own.
    """
    sites = sorted({site for row in matrix.values() for site in row})
    longest = max(len(url) for _, url in matrix) + 2
    first = min(longest, max(28, out.width - 2 * (_GAP + 16))) + _GAP
    for part in _parts(sites, matrix, out.width - first):
        _print_grid(part, matrix, first, out)
        out.print()


def _parts(sites: Sequence[str], matrix: Matrix, width: int) -> Iterator[list[str]]:
    """Yield runs of sites whose columns fit into `width`; a single site may exceed it."""
    part: list[str] = []
    used = 0
    for site in sites:
        column_width = max(
            len(site), *(len(row[site].text) for row in matrix.values() if site in row)
        )
        if part and used + column_width + _GAP > width:
            yield part
            part, used = [], 0
        part.append(site)
        used += column_width + _GAP
    yield part


def _print_grid(sites: Sequence[str], matrix: Matrix, first: int, out: Console) -> None:
    from rich.text import Text  # noqa: PLC0415

    headings = ["FIRST BYTE" if site == NO_SITE else printable(site) for site in sites]
    widths = [
        max(columns(heading), *(columns(row[site].text) for row in matrix.values() if site in row))
        for site, heading in zip(sites, headings, strict=True)
    ]
    gap = " " * _GAP
    out.print(padded("ENDPOINT", first) + gap.join(map(_right, headings, widths)), style="bold")
    registry = ""
    for (name, url), row in matrix.items():
        if name != registry:
            registry = name
            out.print(printable(name), style="dim")
        label = f"  {printable(url)}"
        if columns(label) + _GAP > first:
            out.print(label)
            label = ""
        text = Text(padded(label, first))
        for site, width in zip(sites, widths, strict=True):
            cell = row.get(site)
            style = _style(cell.diagnosis) if cell else ""
            text.append(_right(cell.text if cell else "", width), style)
            text.append(gap)
        text.rstrip()
        out.print(text, soft_wrap=True)


def _right(text: str, width: int) -> str:
    return " " * (width - columns(text)) + text


def _style(diagnosis: Diagnosis) -> str:
    if diagnosis is Diagnosis.OK:
        return "green"
    return "yellow" if diagnosis in {Diagnosis.SLOW, Diagnosis.STALE} else "red"


# -- faults --------------------------------------------------------------------------------------


def _print_faults(results: Sequence[SiteTested], out: Console) -> None:
    """Print the faults of each endpoint, once for all nodes with the same diagnosis."""
    groups: dict[tuple[str, Diagnosis, str], tuple[list[str], list[str]]] = {}
    for result in results:
        for check in result.results:
            if check.diagnosis is not Diagnosis.OK:
                key = (check.target.mirror.url, check.diagnosis, check.message)
                nodes, registries = groups.setdefault(key, ([], []))
                nodes.append(result.node)
                registries.append(check.target.registry)
    places = {url: number for number, (url, _, _) in reversed([*enumerate(groups)])}
    ordered = sorted(groups.items(), key=lambda group: places[group[0][0]])
    for (url, diagnosis, message), (nodes, registries) in ordered:
        head = f"{printable(url)} for {', '.join(dict.fromkeys(registries))}"
        out.print(f"! {head}: {diagnosis.label}", style=_style(diagnosis))
        _print_indented(message, out)
        _print_indented(f"seen from {compress(dict.fromkeys(nodes))}", out, "dim")


def _print_indented(text: str, out: Console, style: str = "") -> None:
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    out.print(Padding(Text(printable(text), style), (0, 0, 0, 4), expand=False), soft_wrap=False)


def _print_notes(results: Sequence[SiteTested], out: Console) -> None:
    """Print how a test differs from a pull: it ignores the node's proxies and its clock."""
    proxies: dict[str, list[str]] = {}
    for result in results:
        for check in result.results:
            if check.proxy:
                proxies.setdefault(check.proxy, []).append(result.node)
        if abs(result.behind) > _SKEW:
            text = (
                f"{result.node}: note: its clock is {abs(result.behind):.0f} s"
                f" {'behind' if result.behind > 0 else 'ahead of'} ours, by which certificates"
                " were judged"
            )
            out.print(text, style="yellow")
    for proxy, nodes in proxies.items():
        text = (
            f"{compress(dict.fromkeys(nodes))}: note: containerd goes through the proxy"
            f" {printable(proxy)}, and this test went straight: its pulls may end otherwise"
        )
        out.print(text, style="yellow")


# -- the ranking ---------------------------------------------------------------------------------


def _print_ranking(ranked: Sequence[Ranking], settings: Settings, out: Console) -> None:
    for ranking in ranked:
        if len(ranking.written) < 2:
            continue
        out.print()
        state = "the order stays"
        if ranking.moves:
            state = "suggested order (`fleet mirrors test --write` applies it)"
        elif ranking.reason:
            state = f"no order is suggested: {ranking.reason}"
        out.print(f"{printable(ranking.registry)}: {state}", style="bold")
        _print_ranks(ranking, settings, out)


def _print_ranks(ranking: Ranking, settings: Settings, out: Console) -> None:
    heads = ("", "ENDPOINT", "NOW", "SERVED", "FIRST BYTE", "ALL STEPS", "LAYER")
    rows = [
        (str(number), rank.url, str(ranking.written.index(rank.url) + 1),
         f"{rank.served}/{rank.tests}", _time(rank.first_byte), _time(rank.seconds), _rate(rank))
        for number, rank in enumerate(ranking.ranks, 1)
    ]  # fmt: skip
    table(heads, rows, out, settings.hidden("ALL STEPS", "LAYER"))
    for rank in ranking.ranks:
        if not rank.served:
            out.print(f"remove {printable(rank.url)}: it never answered", style="yellow")


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else shown_time(seconds)


def _rate(rank: Rank) -> str:
    return "-" if rank.rate is None else f"{rank.rate / (1 << 20):.1f} MiB/s"
