"""Batches of nodes, their sizes, and the limits of groups."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fleet.core.model.inventory import Inventory
from fleet.errors import FleetError

_SIZE = re.compile(r"(\d{1,6})(%?)")


@dataclass(frozen=True, slots=True)
class Size:
    """A number of nodes, or a percentage of a total, rounded down but at least 1."""

    number: int
    percent: bool = False

    def of(self, total: int) -> int:
        """Return the number of nodes out of `total`, at least one."""
        return max(1, total * self.number // 100 if self.percent else self.number)


def parse_size(text: str, what: str) -> Size:
    """Parse `3` or `25%`; raise a FleetError that names `what`, the flag or the group."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[2] and int(match[1]) > 100):
        raise FleetError(
            f"{what}: expected a number or a percentage such as 3 or 25%, got {text!r}"
        )
    return Size(int(match[1]), bool(match[2]))


def allowed_failures(text: str, total: int) -> int:
    """Return how many of `total` nodes may fail; `text` is a number or a percentage."""
    size = parse_size(text, "--max-failures")
    return total * size.number // 100 if size.percent else size.number


def parse_batches(text: str) -> tuple[Size, ...]:
    """Parse `1,10%,25%`; the last size repeats."""
    sizes = tuple(parse_size(part, "--batch") for part in text.split(","))
    if any(size.number == 0 for size in sizes):
        raise FleetError("--batch: a batch needs at least 1 node")
    return sizes


def cut_batches(
    names: Sequence[str],
    sizes: Sequence[Size],
    apart: Collection[str] = (),
    together: int = 1,
) -> tuple[tuple[str, ...], ...]:
    """Divide nodes into batches; percentages are of all nodes.

    A batch holds at most `together` of the nodes in `apart`. Further ones move to later batches,
    and the nodes behind them move up.
    """
    limited = deque(item for item in enumerate(names) if item[1] in apart)
    others = deque(item for item in enumerate(names) if item[1] not in apart)
    batches: list[tuple[str, ...]] = []
    while others or limited:
        size = sizes[min(len(batches), len(sizes) - 1)].of(len(names))
        batch: list[str] = []
        room = together
        while len(batch) < size and (others or (limited and room)):
            takes_limited = bool(limited and room) and (not others or limited[0] < others[0])
            room -= takes_limited
            batch.append((limited if takes_limited else others).popleft()[1])
        batches.append(tuple(batch))
    return tuple(batches)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: at most `most` of `nodes` may be in flight together."""

    nodes: frozenset[str]
    most: int


def group_limits(inventory: Inventory) -> tuple[Limit, ...]:
    """Return the limits by the groups' max_unavailable; percentages are of the whole group."""
    return tuple(
        Limit(frozenset(group.nodes), parse_size(group.max_unavailable, name).of(len(group.nodes)))
        for name, group in inventory.groups.items()
        if group.max_unavailable is not None
    )
