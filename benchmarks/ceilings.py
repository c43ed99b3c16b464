"""How many connections and round trips a node may cost: the table that a test keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.support.wire import Tally

ALL_AT_ONCE = ("--batch", "100%", "--soak", "0")


@dataclass(frozen=True, slots=True)
class Cost:
    """Connections a node, and turns: on the last of several connections, and on those before."""

    connections: int
    main: int
    second: int


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a command may cost a node at most; a sudo user, one image to pull for each registry."""

    name: str
    words: tuple[str, ...]
    most: Cost

    def row(self) -> str:
        """Return the row of the docs."""
        most = self.most
        second = str(most.second) if most.connections > 1 else ""
        return f"| {self.name} | {most.connections} | {most.main} | {second} |"


CEILINGS = (
    Ceiling("`fleet probe`", ("probe",), Cost(1, 6, 0)),
    Ceiling("`fleet rollout`", ("rollout", "-y", *ALL_AT_ONCE), Cost(2, 12, 6)),
    Ceiling("`fleet rollout` with nothing to do", ("rollout", "-y", *ALL_AT_ONCE), Cost(1, 6, 0)),
    Ceiling("`fleet rollback`", ("rollback", "-y", *ALL_AT_ONCE), Cost(2, 10, 6)),
)
"""In the order in which they are tried: each begins where the one before it ended."""


def cost(nodes: Iterable[Sequence[Tally]]) -> Cost:
    """Return what a node costs: the least turns of each connection, as a late client adds some."""
    passes = list(nodes)
    connections = max(len(each) for each in passes)
    complete = [each for each in passes if len(each) == connections]
    least = [min(tally.turns for tally in column) for column in zip(*complete, strict=True)]
    if connections == 1:
        return Cost(1, least[0], 0)
    return Cost(connections, sum(least[:-1]), least[-1])
