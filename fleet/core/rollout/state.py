"""The state of a rollout, the events that change it, and the possible moves.

fleet.core.rollout.scheduler chooses the next move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.gates import GateDecision, GateTime


class RolloutStatus(StrEnum):
    """The status of a rollout at its end; one that has no end counts as interrupted."""

    FINISHED = "finished"
    HALTED = "halted"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class NodeMoved:
    """A node has a new status."""

    node: str
    status: NodeStatus


@dataclass(frozen=True, slots=True)
class BatchSoaked:
    """The pause after a batch is over; `batch` counts from 0."""

    batch: int


@dataclass(frozen=True, slots=True)
class BatchBegun:
    """The first node of a batch is about to be activated; `batch` counts from 0."""

    batch: int


@dataclass(frozen=True, slots=True)
class GateDecided:
    """A gate has decided about a batch; `batch` counts from 0."""

    batch: int
    when: GateTime
    decision: GateDecision


Event = NodeMoved | BatchBegun | BatchSoaked | GateDecided


@dataclass(frozen=True, slots=True)
class RolloutState:
    """The state of a rollout after its events."""

    batches: tuple[tuple[str, ...], ...]
    nodes: Mapping[str, NodeStatus]
    begun: int = -1
    """The number of the newest batch that was begun; -1 before the first."""
    soaked: frozenset[int] = frozenset()
    checked: frozenset[str] = frozenset()
    """Nodes whose health was checked again after their batch's pause."""
    reverted: frozenset[str] = frozenset()
    """Nodes whose confirmed change was to be reverted, whether that succeeded or not."""
    flagged: frozenset[str] = frozenset()
    """Nodes that a gate found wrong after their batch; they count against the budget."""
    judged: frozenset[int] = frozenset()
    """Batches about which the gates have decided after their end."""
    excused: frozenset[str] = frozenset()
    """Nodes that a gate held back without a cost to the budget."""
    unready: frozenset[str] = frozenset()
    """Nodes that a gate found unavailable before a batch."""

    def count(self) -> Counter[NodeStatus]:
        """Count nodes by the status that users see."""
        return Counter(status.shown for status in self.nodes.values())

    def at(self, *statuses: NodeStatus) -> list[str]:
        """Return the nodes of the batches that are in one of these states, in order."""
        return [name for batch in self.batches for name in batch if self.nodes[name] in statuses]


def begin(batches: tuple[tuple[str, ...], ...], settled: Mapping[str, NodeStatus]) -> RolloutState:
    """Return the first state; `settled` nodes need no change or cannot be planned."""
    pending = {name: NodeStatus.PENDING for batch in batches for name in batch}
    return RolloutState(batches, {**pending, **settled})


def advance(state: RolloutState, event: Event) -> RolloutState:
    """Return the state after one event."""
    return replay(state, (event,))


def replay(state: RolloutState, events: Iterable[Event]) -> RolloutState:
    """Return the state after these events."""
    changing = ChangingState(state)
    for event in events:
        changing.apply(event)
    return changing.state


class ChangingState:
    """The state of a rollout, which events change in place, at the same cost for any rollout."""

    def __init__(self, state: RolloutState) -> None:
        self.batches, self.begun = state.batches, state.begun
        self.nodes = dict(state.nodes)
        self.soaked, self.checked = set(state.soaked), set(state.checked)
        self.reverted, self.flagged = set(state.reverted), set(state.flagged)
        self.judged, self.excused = set(state.judged), set(state.excused)
        self.unready = set(state.unready)

    def apply(self, event: Event) -> None:
        """Apply one event."""
        match event:
            case BatchBegun(batch):
                self.begun = max(self.begun, batch)
            case BatchSoaked(batch):
                self.soaked.add(batch)
            case GateDecided(batch, when, decision):
                self.flagged |= decision.flagged.keys()
                self.excused |= decision.excused
                self.unready |= decision.unavailable.keys()
                if when is GateTime.AFTER and decision.halt is None:
                    self.judged.add(batch)
            case NodeMoved(node, status):
                self.nodes[node] = status
                if status is NodeStatus.CHECKING:
                    self.checked.add(node)
                elif status is NodeStatus.REVERTING:
                    self.reverted.add(node)

    @property
    def state(self) -> RolloutState:
        """Return the state after the events so far."""
        return RolloutState(
            batches=self.batches,
            nodes=dict(self.nodes),
            begun=self.begun,
            soaked=frozenset(self.soaked),
            checked=frozenset(self.checked),
            reverted=frozenset(self.reverted),
            flagged=frozenset(self.flagged),
            judged=frozenset(self.judged),
            excused=frozenset(self.excused),
            unready=frozenset(self.unready),
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """Upload and validate the change on these nodes without activating it."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """Activate the change on these nodes; `batch` counts from 0."""

    nodes: tuple[str, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Soak:
    """Wait for the policy's pause after a batch; `batch` counts from 0."""

    batch: int


@dataclass(frozen=True, slots=True)
class Check:
    """Check the health of these nodes again; an unhealthy one reverts its change."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Revert:
    """Revert the confirmed change on these nodes."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for a node in flight."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Start no further node; `nodes` are control plane nodes that wait for others that are down."""

    reason: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """Every node is settled."""


Move = Stage | Launch | Soak | Check | Revert | Wait | Halt | Finish
