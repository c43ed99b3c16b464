"""The output of a mirror test: a matrix of sites, faults, and the ranking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fleet.config.mirrors.yaml_order import ReorderResult
from fleet.core.history.serialize import failure_data
from fleet.core.mirrors.check import Diagnosis, EndpointCheck
from fleet.core.mirrors.ranking import Cell, Rank, Ranking, cell, shown_time
from fleet.core.selection.ranges import compress
from fleet.engine.mirrors import SiteTested
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NO_SITE = "-"
_SKEW = 300
_GAP = 2
_Row = tuple[str, str]
_Matrix = dict[_Row, dict[str, Cell]]


def show(results: Sequence[SiteTested], ranked: Sequence[Ranking], out: Console) -> None:
    """Print all results as text."""
    matrix = _matrix(results)
    if matrix:
        _print_matrix(matrix, out)
    _print_wrong(results, out)
    _print_notes(results, out)
    _print_ranking(ranked, out)
    for result in results:
        if result.failure is not None:
            text = f"! {result.node}: {result.failure.kind}: {printable(result.failure.message)}"
            out.print(text, style="red")


def _matrix(results: Sequence[SiteTested]) -> _Matrix:
    rows: dict[_Row, dict[str, list[EndpointCheck]]] = {}
    for result in results:
        for check in result.results:
            row = rows.setdefault((check.target.registry, check.target.mirror.url), {})
            row.setdefault(result.site or _NO_SITE, []).append(check)
    return {
        row: {site: cell(results) for site, results in sites.items()} for row, sites in rows.items()
    }


# -- the matrix ----------------------------------------------------------------------------------


def _print_matrix(matrix: _Matrix, out: Console) -> None:
    """Print as many sites side by side as fit the terminal, then the others below."""
    sites = sorted({site for cells in matrix.values() for site in cells})
    longest = max(len(url) for _, url in matrix)
    first = min(longest, max(28, out.width - 2 * (_GAP + 16))) + _GAP
    for part in _parts(sites, matrix, out.width - first):
        out.print(_grid(part, matrix, first), soft_wrap=False)
        out.print()


def _parts(sites: Sequence[str], matrix: _Matrix, width: int) -> Iterator[list[str]]:
    part: list[str] = []
    used = 0
    for site in sites:
        wide = max(
            len(site), *(len(cells[site].text) for cells in matrix.values() if site in cells)
        )
        if part and used + wide + _GAP > width:
            yield part
            part, used = [], 0
        part.append(site)
        used += wide + _GAP
    yield part


def _grid(sites: Sequence[str], matrix: _Matrix, first: int) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    grid.add_column("ENDPOINT", overflow="fold", max_width=first)
    for site in sites:
        heading = "FIRST BYTE" if site == _NO_SITE else printable(site)
        grid.add_column(heading, no_wrap=True, justify="right")
    registry = ""
    for (name, url), cells in matrix.items():
        if name != registry:
            registry = name
            grid.add_row(Text(printable(name), style="dim"))
        shown = (_shown(cells.get(site)) for site in sites)
        grid.add_row(f"  {printable(url)}", *shown)
    return grid


def _shown(matrix_cell: Cell | None) -> Any:
    from rich.text import Text  # noqa: PLC0415

    return (
        Text("", "dim")
        if matrix_cell is None
        else Text(matrix_cell.text, _style(matrix_cell.diagnosis))
    )


def _style(diagnosis: Diagnosis) -> str:
    if diagnosis is Diagnosis.OK:
        return "green"
    return "yellow" if diagnosis in {Diagnosis.SLOW, Diagnosis.STALE} else "red"


# -- what is wrong -------------------------------------------------------------------------------


def _print_wrong(results: Sequence[SiteTested], out: Console) -> None:
    """Print what is wrong with each endpoint, once for all nodes with the same diagnosis."""
    folded: dict[tuple[str, Diagnosis, str], tuple[list[str], list[str]]] = {}
    for result in results:
        for check in result.results:
            if check.diagnosis is not Diagnosis.OK:
                key = (check.target.mirror.url, check.diagnosis, check.message)
                nodes, registries = folded.setdefault(key, ([], []))
                nodes.append(result.node)
                registries.append(check.target.registry)
    places = {url: number for number, (url, _, _) in reversed([*enumerate(folded)])}
    ordered = sorted(folded.items(), key=lambda entry: places[entry[0][0]])
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
    """Print how a test differs from a pull: it does not use proxies, or the node's clock."""
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


def _print_ranking(ranked: Sequence[Ranking], out: Console) -> None:
    for ranking in ranked:
        if len(ranking.written) < 2:
            continue
        out.print()
        state = "the order stays"
        if ranking.moves:
            state = "another order is proposed"
        elif ranking.reason:
            state = f"no order is proposed: {ranking.reason}"
        out.print(f"{printable(ranking.registry)}: {state}", style="bold")
        out.print(_ranks(ranking), soft_wrap=False)


def _ranks(ranking: Ranking) -> Table:
    from rich.table import Table  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    grid.add_column("", justify="right")
    grid.add_column("ENDPOINT", overflow="fold")
    for heading in ("NOW", "SERVED", "FIRST BYTE", "ALL STEPS", "LAYER"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for number, rank in enumerate(ranking.ranks, 1):
        now = str(ranking.written.index(rank.url) + 1)
        served = f"{rank.served}/{rank.asked}"
        times = (_time(rank.first_byte), _time(rank.seconds), _rate(rank))
        grid.add_row(str(number), printable(rank.url), now, served, *times)
    return grid


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else shown_time(seconds)


def _rate(rank: Rank) -> str:
    return "-" if rank.rate is None else f"{rank.rate / (1 << 20):.1f} MiB/s"


def data(
    results: Sequence[SiteTested], ranked: Sequence[Ranking], moved: Sequence[ReorderResult]
) -> dict[str, Any]:
    """Return everything as plain data."""
    matrix: dict[str, dict[str, dict[str, Any]]] = {}
    for (registry, url), cells in _matrix(results).items():
        row = {site: _cell_data(merged) for site, merged in cells.items()}
        matrix.setdefault(registry, {})[url] = row
    return {
        "nodes": {result.node: _node_data(result) for result in results},
        "matrix": matrix,
        "ranking": [_ranking_data(ranking) for ranking in ranked],
        "written": [
            {
                "place": reorder.place,
                "order": [{"url": url, "was": number} for number, url in reorder.order],
                "written": reorder.written,
                "reason": reorder.reason,
            }
            for reorder in moved
        ],
    }


def _cell_data(tested: Cell) -> dict[str, Any]:
    return {
        "diagnosis": str(tested.diagnosis),
        "agree": tested.agree,
        "nodes": tested.nodes,
        "first_byte": tested.seconds,
    }


def _node_data(result: SiteTested) -> dict[str, Any]:
    return {
        "site": result.site or None,
        "clock_behind": result.behind,
        "endpoints": [_tested_data(check) for check in result.results],
        "failure": failure_data(result.failure),
    }


def _tested_data(check: EndpointCheck) -> dict[str, Any]:
    seen = check.seen
    return {
        "registry": check.target.registry,
        "url": check.target.mirror.url,
        "image": str(check.target.image) if check.target.image else None,
        "diagnosis": str(check.diagnosis),
        "message": check.message,
        "address": seen.address or None,
        "digest": seen.digest or None,
        "first_byte": seen.first_byte,
        "layer_bytes": seen.size or None,
        "bytes_per_second": round(seen.rate) if seen.rate else None,
        "proxy": check.proxy,
        "steps": [
            {
                "step": step.name,
                "ok": step.ok,
                "seconds": step.seconds,
                "status": step.status or None,
                "trouble": str(step.trouble) if step.trouble else None,
                "words": step.words,
                "host": step.host or None,
            }
            for step in seen.steps
        ],
    }


def _ranking_data(ranking: Ranking) -> dict[str, Any]:
    return {
        "registry": ranking.registry,
        "written": list(ranking.written),
        "proposed": list(ranking.proposed),
        "moves": ranking.moves,
        "reason": ranking.reason,
        "endpoints": [
            {
                "url": rank.url,
                "served": rank.served,
                "asked": rank.asked,
                "stale": rank.stale,
                "ends_pulls": rank.blocks,
                "seconds": rank.seconds,
                "first_byte": rank.first_byte,
                "bytes_per_second": round(rank.rate) if rank.rate else None,
            }
            for rank in ranking.ranks
        ],
    }
