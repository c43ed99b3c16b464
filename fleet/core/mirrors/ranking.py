"""The checks of many nodes together: cells by site, a ranking, and a better order."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fleet.core.mirrors.check import Diagnosis, EndpointCheck

_CLEARLY = 2.0


_NOTICEABLY = 0.2
"""An endpoint overtakes another only if that takes so many times, and so many seconds, longer."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One endpoint seen from one site: the diagnosis of most of its nodes, and how many agree."""

    diagnosis: Diagnosis
    agree: int
    nodes: int
    seconds: float | None

    @property
    def text(self) -> str:
        """Return the cell as a short text."""
        share = "" if self.agree == self.nodes else f" {self.agree}/{self.nodes}"
        if self.diagnosis.serves and self.seconds is not None:
            slow = "slow " if self.diagnosis is Diagnosis.SLOW else ""
            return f"{slow}{shown_time(self.seconds)}{share}"
        return f"{self.diagnosis.label}{share}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One endpoint over all nodes that tested it: how many were served, and how quickly.

    `seconds` is the median over whole tests that succeeded; `rate` is bytes per second.
    """

    url: str
    served: int
    tests: int
    stale: bool
    blocks: bool
    seconds: float | None
    first_byte: float | None
    rate: float | None
    proxied: bool

    @property
    def standing(self) -> int:
        """Return a rank: 0 serves all nodes, 1 some, 2 is stale, 3 serves none, 4 ends the pull."""
        if self.blocks or self.stale:
            return 4 if self.blocks else 2
        if self.served == self.tests:
            return 0
        return 1 if self.served else 3


@dataclass(frozen=True, slots=True)
class Ranking:
    """The endpoints of one registry in their written order, and ranked."""

    registry: str
    written: tuple[str, ...]
    ranks: tuple[Rank, ...]
    reason: str = ""
    """The reason why no other order is proposed; empty if one may be."""

    @property
    def proposed(self) -> tuple[str, ...]:
        """Return the URLs, best first."""
        return tuple(rank.url for rank in self.ranks)

    @property
    def moves(self) -> bool:
        """Return whether another order is proposed."""
        return not self.reason and self.proposed != self.written


def shown_time(seconds: float) -> str:
    """Return a time as text, in milliseconds or seconds."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def cell(checks: Sequence[EndpointCheck]) -> Cell:
    """Return the most frequent diagnosis of one endpoint at a site; the graver one wins a draw."""
    counts: dict[Diagnosis, int] = {}
    for check in checks:
        counts[check.diagnosis] = counts.get(check.diagnosis, 0) + 1
    best = max(counts, key=lambda diagnosis: (counts[diagnosis], not diagnosis.serves))
    times = [check.seen.first_byte for check in checks if check.diagnosis is best]
    known = [seconds for seconds in times if seconds is not None]
    return Cell(best, counts[best], len(checks), statistics.median(known) if known else None)


def rankings(nodes: Iterable[Sequence[EndpointCheck]]) -> tuple[Ranking, ...]:
    """Rank the endpoints of every registry by the results of each node.

    Nodes that have different lists of endpoints for a registry are ranked apart.
    """
    lists: dict[tuple[str, tuple[str, ...]], list[EndpointCheck]] = {}
    for results in nodes:
        for registry, urls, checks in _checks_by_registry(results):
            lists.setdefault((registry, urls), []).extend(checks)
    return tuple(_ranking(registry, urls, checks) for (registry, urls), checks in lists.items())


def _checks_by_registry(
    results: Iterable[EndpointCheck],
) -> Iterator[tuple[str, tuple[str, ...], list[EndpointCheck]]]:
    registries: dict[str, list[EndpointCheck]] = {}
    for check in results:
        registries.setdefault(check.target.registry, []).append(check)
    for registry, checks in registries.items():
        yield registry, tuple(check.target.mirror.url for check in checks), checks


def _ranking(registry: str, urls: tuple[str, ...], checks: list[EndpointCheck]) -> Ranking:
    ranks = [
        _rank(url, [check for check in checks if check.target.mirror.url == url]) for url in urls
    ]
    reason = ""
    if any(rank.proxied for rank in ranks):
        reason = "containerd uses a proxy on these nodes, but the tests did not"
    return Ranking(registry, urls, tuple(_sort_ranks(ranks)), reason)


def _rank(url: str, checks: list[EndpointCheck]) -> Rank:
    served = [check for check in checks if check.diagnosis.serves]
    firsts = [check.seen.first_byte for check in served if check.seen.first_byte is not None]
    rates = [check.seen.rate for check in served if check.seen.rate is not None]
    return Rank(
        url=url,
        served=len(served),
        tests=len(checks),
        blocks=any(check.diagnosis.blocks for check in checks),
        stale=any(check.diagnosis is Diagnosis.STALE for check in checks),
        seconds=statistics.median(check.seen.seconds for check in served) if served else None,
        first_byte=statistics.median(firsts) if firsts else None,
        rate=statistics.median(rates) if rates else None,
        proxied=any(check.proxy for check in checks),
    )


def _sort_ranks(ranks: Iterable[Rank]) -> list[Rank]:
    """Return the ranks in written order, which the user chose; a clearly better one moves up."""
    done: list[Rank] = []
    for rank in ranks:
        place = len(done)
        while place and _overtakes(rank, done[place - 1]):
            place -= 1
        done.insert(place, rank)
    return done


def _overtakes(rank: Rank, other: Rank) -> bool:
    if rank.standing != other.standing:
        return rank.standing < other.standing
    seconds, other_seconds = rank.seconds, other.seconds
    if seconds is None or other_seconds is None:
        return False
    return other_seconds > _CLEARLY * seconds and other_seconds - seconds > _NOTICEABLY
