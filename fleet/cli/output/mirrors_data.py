"""The results of a mirror test as data: by node, as a matrix of sites, and the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fleet.config.mirrors.yaml_order import ReorderResult
from fleet.core.history.serialize import failure_data
from fleet.core.mirrors.check import EndpointCheck
from fleet.core.mirrors.ranking import Cell, Ranking, cell, rankings
from fleet.engine.mirrors import SiteTested

NO_SITE = "-"
"""The site of nodes to which the inventory gives no site."""
_Row = tuple[str, str]
Matrix = dict[_Row, dict[str, Cell]]
"""The results of endpoints, by registry and URL, then by site."""


def matrix_of(results: Sequence[SiteTested]) -> Matrix:
    """Return the results of nodes as a matrix, merged by site."""
    rows: dict[_Row, dict[str, list[EndpointCheck]]] = {}
    for result in results:
        for check in result.results:
            row = rows.setdefault((check.target.registry, check.target.mirror.url), {})
            row.setdefault(result.site or NO_SITE, []).append(check)
    return {
        row: {site: cell(results) for site, results in sites.items()} for row, sites in rows.items()
    }


def data(
    results: Sequence[SiteTested], ranked: Sequence[Ranking], moved: Sequence[ReorderResult]
) -> dict[str, Any]:
    """Return the results, the matrix, the ranking and the written orders as plain data."""
    matrix: dict[str, dict[str, dict[str, Any]]] = {}
    for (registry, url), cells in matrix_of(results).items():
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


def data_alone(result: SiteTested) -> dict[str, Any]:
    """Return one node's results as plain data."""
    return data([result], rankings([result.results]), ())


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
                "asked": rank.tests,
                "stale": rank.stale,
                "ends_pulls": rank.blocks,
                "seconds": rank.seconds,
                "first_byte": rank.first_byte,
                "bytes_per_second": round(rank.rate) if rank.rate else None,
            }
            for rank in ranking.ranks
        ],
    }
