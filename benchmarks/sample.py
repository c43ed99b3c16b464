"""One run's figures, their medians and their ratios; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

NOISE = 0.15
"""The share of the machine that others may take before a run counts as disturbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What was run: who, on how many nodes, which scenario."""

    nodes: int
    scenario: str
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: seconds, MB, and `foreign`, the share of all cores that others took meanwhile.

    `trouble` says why the end state was not reached; such a run counts for nothing.
    """

    key: Key
    round: int
    wall: float = 0.0
    client_cpu: float = 0.0
    client_mb: float = 0.0
    node_cpu: float = 0.0
    foreign: float = 0.0
    trouble: str = ""

    @property
    def disturbed(self) -> bool:
        """Say whether others took so much that the figures are doubtful."""
        return self.foreign > NOISE


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The medians of some runs; `disturbed` where there are none but disturbed ones."""

    key: Key
    runs: int
    wall: float
    client_cpu: float
    client_mb: float
    node_cpu: float
    disturbed: bool

    @property
    def marked(self) -> str:
        """Return the number of runs, with the mark of disturbed ones."""
        return f"{self.runs}{'~' if self.disturbed else ''}"


_Any = TypeVar("_Any")


def calm(samples: Iterable[Sample]) -> list[Sample]:
    """Return the good runs that nobody disturbed; where there are none, the disturbed ones."""
    good = [each for each in samples if not each.trouble]
    return [each for each in good if not each.disturbed] or good


def figures(samples: Iterable[Sample]) -> Figures | None:
    """Return the medians of the runs of one key; None where no run reached the end state."""
    counted = calm(samples)
    if not counted:
        return None
    return Figures(
        key=counted[0].key,
        runs=len(counted),
        wall=median(each.wall for each in counted),
        client_cpu=median(each.client_cpu for each in counted),
        client_mb=median(each.client_mb for each in counted),
        node_cpu=median(each.node_cpu for each in counted),
        disturbed=counted[0].disturbed,
    )


def by_key(samples: Iterable[Sample]) -> dict[Key, list[Sample]]:
    """Put the runs of each key together."""
    found: dict[Key, list[Sample]] = {}
    for each in samples:
        found.setdefault(each.key, []).append(each)
    return found


def turned(things: Sequence[_Any], by: int) -> list[_Any]:
    """Return a sequence from another member on each round: none is always the first."""
    start = by % len(things) if things else 0
    return [*things[start:], *things[:start]]
