"""The rollout as a reducer: events advance a state, the state decides the next move."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.core.model import Inventory
from fleet.core.outcome import NodeStatus
from fleet.errors import FleetError

_SIZE = re.compile(r"(\d{1,6})(%?)")


@dataclass(frozen=True, slots=True)
class Size:
    """A number of nodes, or a percentage of some total that rounds down but never below 1."""

    number: int
    percent: bool = False

    def of(self, total: int) -> int:
        """Return how many nodes of `total` that is, at least one."""
        return max(1, total * self.number // 100 if self.percent else self.number)


def parse_size(text: str, what: str) -> Size:
    """Read `3` or `25%`; raise a FleetError that names the flag."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[2] and int(match[1]) > 100):
        raise FleetError(
            f"{what}: expected a number or a percentage such as 3 or 25%, got {text!r}"
        )
    return Size(int(match[1]), bool(match[2]))


def parse_batches(text: str) -> tuple[Size, ...]:
    """Read `1,10%,25%`; the last size repeats."""
    sizes = tuple(parse_size(part, "--batch") for part in text.split(","))
    if any(size.number == 0 for size in sizes):
        raise FleetError("--batch: a batch of 0 nodes would never end")
    return sizes


def cut_batches(names: Sequence[str], sizes: Sequence[Size]) -> tuple[tuple[str, ...], ...]:
    """Cut nodes into batches; percentages are of all of them."""
    batches: list[tuple[str, ...]] = []
    start = 0
    while start < len(names):
        size = sizes[min(len(batches), len(sizes) - 1)].of(len(names))
        batches.append(tuple(names[start : start + size]))
        start += size
    return tuple(batches)


@dataclass(frozen=True, slots=True)
class Limit:
    """No more than `most` of `nodes` may be in flight together."""

    nodes: frozenset[str]
    most: int


def group_limits(inventory: Inventory) -> tuple[Limit, ...]:
    """Return what the groups' max_unavailable allows; percentages are of the whole group."""
    return tuple(
        Limit(frozenset(group.nodes), parse_size(group.max_unavailable, name).of(len(group.nodes)))
        for name, group in inventory.groups.items()
        if group.max_unavailable is not None
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a rollout goes: its budget of failed nodes, and the groups' limits."""

    max_failures: int = 0
    limits: tuple[Limit, ...] = ()
    forgiven: frozenset[str] = frozenset()
    """Nodes whose failure was accepted before the start (--skip-unreachable)."""


@dataclass(frozen=True, slots=True)
class NodeMoved:
    """A node came to a new status."""

    node: str
    status: NodeStatus


@dataclass(frozen=True, slots=True)
class RolloutState:
    """Where a rollout stands: the fold of its events."""

    batches: tuple[tuple[str, ...], ...]
    nodes: Mapping[str, NodeStatus]

    def count(self) -> Counter[NodeStatus]:
        """Count nodes by status."""
        return Counter(self.nodes.values())


def begin(batches: tuple[tuple[str, ...], ...], settled: Mapping[str, NodeStatus]) -> RolloutState:
    """Return the first state: nodes that need nothing or cannot be planned are settled."""
    pending = {name: NodeStatus.PENDING for batch in batches for name in batch}
    return RolloutState(batches, {**settled, **pending})


def advance(state: RolloutState, event: NodeMoved) -> RolloutState:
    """Return the state after one event."""
    return replace(state, nodes={**state.nodes, event.node: event.status})


def replay(state: RolloutState, events: Iterable[NodeMoved]) -> RolloutState:
    """Fold events into a state."""
    moved = {event.node: event.status for event in events}
    return replace(state, nodes={**state.nodes, **moved})


@dataclass(frozen=True, slots=True)
class Launch:
    """Start these nodes; `batch` counts from 0."""

    nodes: tuple[str, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for a node in flight."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Start nothing more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Every node is settled."""


Move = Launch | Wait | Halt | Finish


def next_move(state: RolloutState, policy: Policy) -> Move:
    """Decide what happens next; a batch starts only when the last one is through."""
    running = [name for name, status in state.nodes.items() if status is NodeStatus.RUNNING]
    if (reason := _spent(state, policy)) is not None:
        return Wait() if running else Halt(reason)
    for number, batch in enumerate(state.batches):
        statuses = [state.nodes[name] for name in batch]
        if NodeStatus.PENDING in statuses or NodeStatus.RUNNING in statuses:
            pending = [name for name in batch if state.nodes[name] is NodeStatus.PENDING]
            ready = _admitted(pending, running, policy.limits)
            return Launch(ready, number) if ready else Wait()
    return Wait() if running else Finish()


def _spent(state: RolloutState, policy: Policy) -> str | None:
    """Say why nothing more may start; None while the budget holds."""
    bad = [name for name, status in state.nodes.items() if status.failed]
    degraded = [name for name in bad if state.nodes[name] is NodeStatus.DEGRADED]
    if degraded:
        return f"degraded, hands needed: {', '.join(degraded)}"
    counted = [name for name in bad if name not in policy.forgiven]
    if len(counted) > policy.max_failures and NodeStatus.PENDING in state.nodes.values():
        return f"{len(counted)} failed, and --max-failures allows {policy.max_failures}"
    return None


def _admitted(
    pending: Sequence[str], running: Sequence[str], limits: Sequence[Limit]
) -> tuple[str, ...]:
    """Return the nodes that may start beside those in flight, in order."""
    flying, ready = set(running), []
    for name in pending:
        mine = [limit for limit in limits if name in limit.nodes]
        if all(len(flying & limit.nodes) < limit.most for limit in mine):
            flying.add(name)
            ready.append(name)
    return tuple(ready)
