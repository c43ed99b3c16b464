"""A rollout's history, replayed from its journal entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from fleet.core.failure import Step
from fleet.core.history.gate_data import read_gate_event
from fleet.core.history.serialize import read_outcome
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateTime
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Event,
    GateDecided,
    NodeMoved,
    RolloutState,
    RolloutStatus,
    begin,
    replay,
)

_CHANGED = {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK, NodeStatus.DEGRADED}
_IN_FORCE = {NodeStatus.CONVERGED, NodeStatus.DEGRADED, NodeStatus.STALE}


class EntryKind(StrEnum):
    """The kinds of entries in the journal; entries of other kinds are not replayed."""

    PLANNED = "planned"
    SETTLED = "settled"
    """The outcome of a node that needed no batch."""
    MOVED = "moved"
    BATCH = "batch"
    SOAKED = "soaked"
    GATE = "gate"
    """The decision of a gate about a batch."""
    RESUMED = "resumed"
    ENDED = "ended"
    PLANE_ASKED = "control plane asked"
    """The roles of nodes that a rollout asked but does not contain."""
    QUORUM_ASKED = "quorum asked"
    """The members of etcd before control plane nodes were taken down."""
    OUTPUT_DROPPED = "output dropped"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry of the journal: its time, kind, node and data."""

    at: str
    kind: str
    node: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutHistory:
    """The state of a rollout so far; one that did not end counts as interrupted."""

    state: RolloutState
    outcomes: Mapping[str, NodeOutcome] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    status: RolloutStatus = RolloutStatus.INTERRUPTED
    reason: str = ""
    ended: str | None = None
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The evidence that a node belongs to the control plane, by the node's name."""
    unproven: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The registries of a node's newest plan that no verification pull proves, by node name."""
    gates: tuple[GateDecided, ...] = ()
    """The decisions of the cluster's gates about batches."""

    @property
    def unfinished(self) -> bool:
        """Return whether `fleet resume` has anything to do."""
        interrupted = self.status is RolloutStatus.INTERRUPTED
        return interrupted or bool(self.open_nodes()) or self._is_unjudged()

    def _is_unjudged(self) -> bool:
        """Return whether a gate after a batch could not be asked, and was not asked again."""
        halts = (gate for gate in self.gates if gate.decision.halt is not None)
        return any(
            gate.when is GateTime.AFTER and gate.batch not in self.state.judged for gate in halts
        )

    def accepting(self, names: Collection[str]) -> RolloutHistory:
        """Return the history without what a gate found wrong with these converged nodes."""
        outcomes = {
            name: replace(outcome, failure=None)
            if name in names and outcome.status is NodeStatus.CONVERGED
            else outcome
            for name, outcome in self.outcomes.items()
        }
        state = replace(self.state, flagged=self.state.flagged - set(names))
        return replace(self, state=state, outcomes=outcomes)

    def unsettled(self) -> list[str]:
        """Return the nodes that must be settled: they were in flight or are still locked."""
        return [name for name in self.state.nodes if self._is_unsettled(name)]

    def open_nodes(self) -> list[str]:
        """Return the nodes that a resume would work on."""
        nodes = self.state.nodes.items()
        return [name for name, status in nodes if status.not_begun or self._is_unsettled(name)]

    def changed_nodes(self) -> frozenset[str]:
        """Return the nodes whose files this rollout has changed, for good or for a while."""
        nodes = self.state.nodes.items()
        return frozenset(name for name, status in nodes if status.changing or status in _CHANGED)

    def nodes_in_force(self) -> list[str]:
        """Return the nodes on which this rollout's change is in force, as far as is known."""
        nodes = self.state.nodes.items()
        return [
            name
            for name, status in nodes
            if status.changing or status in _IN_FORCE or self._is_lost(name)
        ]

    def _is_lost(self, name: str) -> bool:
        """Return whether a node was lost in the middle of its change."""
        outcome = self.outcomes.get(name)
        failure = outcome.failure if outcome else None
        return failure is not None and failure.step is Step.SETTLE

    def _is_unsettled(self, name: str) -> bool:
        status = self.state.nodes[name]
        if status.changing:
            return True
        outcome = self.outcomes.get(name)
        if outcome is not None and outcome.held:
            return True
        return self._is_lost(name)


def known_roles(entries: Iterable[JournalEntry]) -> dict[str, tuple[str, ...]]:
    """Return each node's newest evidence of a control-plane role over rollouts; empty for workers.

    A plan without a strategy may be that of a node that did not answer, so it is not evidence.
    """
    roles: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        if entry.kind == EntryKind.PLANE_ASKED:
            roles |= {name: tuple(evidence) for name, evidence in entry.payload["roles"].items()}
        elif entry.kind == EntryKind.PLANNED:
            for plan in entry.payload.get("plans", ()):
                evidence = tuple(plan.get("role_evidence", ()))
                if evidence or (plan.get("strategy") and "role_evidence" in plan):
                    roles |= dict.fromkeys(plan.get("nodes", ()), evidence)
    return roles


def replay_journal(
    batches: Iterable[Sequence[str]], entries: Iterable[JournalEntry]
) -> RolloutHistory:
    """Replay a rollout's entries in their order."""
    replayed = _Replay(begin(tuple(tuple(batch) for batch in batches), {}))
    for entry in entries:
        replayed.take(entry)
    return replayed.history()


@dataclass(slots=True)
class _Replay:
    """A rollout's history while its entries are replayed.

    A resume accepts what gates have found wrong, if the rollout had an end: its recap named that.
    """

    first: RolloutState
    events: list[Event] = field(default_factory=list)
    outcomes: dict[str, NodeOutcome] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unproven: dict[str, tuple[str, ...]] = field(default_factory=dict)
    flagged: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    ending: JournalEntry | None = None

    def take(self, entry: JournalEntry) -> None:
        """Take the next entry."""
        payload = entry.payload
        if entry.node is not None:
            outcome = read_outcome(entry.node, payload)
            self.outcomes[entry.node], self.moved[entry.node] = outcome, entry.at
            self.events.append(NodeMoved(entry.node, outcome.status))
        elif entry.kind == EntryKind.BATCH:
            self.events.append(BatchBegun(payload["number"] - 1))
        elif entry.kind == EntryKind.SOAKED:
            self.events.append(BatchSoaked(payload["number"] - 1))
        elif entry.kind == EntryKind.GATE:
            self._decided(read_gate_event(payload))
        elif entry.kind == EntryKind.PLANNED:
            self.roles |= _plan_texts(payload, "role_evidence")
            self.unproven |= _plan_texts(payload, "unproven")
        elif entry.kind == EntryKind.ENDED:
            self.ending = entry
        elif entry.kind == EntryKind.RESUMED:
            self.accepted |= self.flagged if self.ending is not None else set()
            self.ending = None

    def _decided(self, event: GateDecided) -> None:
        self.events.append(event)
        self.flagged |= event.decision.flagged.keys()
        for name, failure in event.decision.flagged.items():
            if name in self.outcomes:
                self.outcomes[name] = replace(self.outcomes[name], failure=failure)

    def history(self) -> RolloutHistory:
        """Return the history after the entries so far."""
        history = RolloutHistory(
            state=replay(self.first, self.events),
            outcomes=self.outcomes,
            moved=self.moved,
            roles=self.roles,
            unproven=self.unproven,
            gates=tuple(event for event in self.events if isinstance(event, GateDecided)),
        ).accepting(self.accepted)
        if self.ending is None:
            return history
        status = RolloutStatus(self.ending.payload["status"])
        reason = self.ending.payload["reason"]
        return replace(history, status=status, reason=reason, ended=self.ending.at)


def _plan_texts(planned: Mapping[str, Any], key: str) -> dict[str, tuple[str, ...]]:
    """Return a list of each node's plan, unless it is empty; earlier releases did not record it."""
    return {
        name: tuple(texts)
        for plan in planned.get("plans", ())
        if (texts := plan.get(key))
        for name in plan.get("nodes", ())
    }
