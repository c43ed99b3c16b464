"""The history of rollouts as nodes tell it: their audit logs, merged by rollout ID."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.core.history.audit import AuditEvent, AuditLog
from fleet.core.model.outcome import NodeStatus

UNCONFIRMED = "unconfirmed"
"""The status of a node whose change was neither confirmed nor reverted so far."""
_UNLOCK = "unlock"

_STATUS: Mapping[tuple[str, str], str] = {
    ("activate", "swapped"): UNCONFIRMED,
    ("activate", "unsettled"): UNCONFIRMED,
    ("activate", "failed"): str(NodeStatus.FAILED),
    ("activate", "rolled_back"): str(NodeStatus.ROLLED_BACK),
    ("activate", "degraded"): str(NodeStatus.DEGRADED),
    ("confirm", "confirmed"): str(NodeStatus.CONVERGED),
    ("recheck", "confirmed"): str(NodeStatus.CONVERGED),
    ("guard", "rolled_back"): str(NodeStatus.ROLLED_BACK),
    ("guard", "unsettled"): UNCONFIRMED,
    ("guard", "degraded"): str(NodeStatus.DEGRADED),
}
"""The status of a node after a step with a result; other entries leave it as it was."""


STATUSES = tuple(dict.fromkeys([*_STATUS.values(), str(NodeStatus.PENDING)]))
"""All statuses of a node."""


@dataclass(frozen=True, slots=True)
class NodeEntries:
    """The entries of one rollout on one node, in the order of its log."""

    events: tuple[AuditEvent, ...]

    @property
    def status(self) -> str:
        """Return how the rollout ended on this node; pending if it changed nothing there."""
        known = [_STATUS.get((event.step, event.result)) for event in self.events]
        return next((status for status in reversed(known) if status), str(NodeStatus.PENDING))


@dataclass(frozen=True, slots=True)
class RolloutEntries:
    """The entries of one rollout on all nodes that it worked on; a node without any is not here."""

    rollout: str
    nodes: Mapping[str, NodeEntries]

    @property
    def events(self) -> list[AuditEvent]:
        """Return the entries of all nodes by their time; the clocks of nodes may differ."""
        events = (event for node in self.nodes.values() for event in node.events)
        return sorted(events, key=lambda event: event.at)

    @property
    def kind(self) -> str:
        """Return the kind of the rollout; empty if no entry has it."""
        return _first(event.kind for event in self.events if event.kind != _UNLOCK)

    @property
    def message(self) -> str:
        """Return the message of the rollout; empty if it had none."""
        return _first(event.message for event in self.events)

    @property
    def operators(self) -> list[str]:
        """Return who began the rollout, then who resumed or unlocked it."""
        return list(dict.fromkeys(event.operator for event in self.events))


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def merge_logs(logs: Mapping[str, AuditLog]) -> list[RolloutEntries]:
    """Merge the logs of nodes by rollout ID, the newest first; IDs sort by time."""
    merged: dict[str, dict[str, list[AuditEvent]]] = {}
    for name, log in logs.items():
        for event in log.events:
            merged.setdefault(event.rollout, {}).setdefault(name, []).append(event)
    return [
        RolloutEntries(
            rollout, {name: NodeEntries(tuple(events)) for name, events in nodes.items()}
        )
        for rollout, nodes in sorted(merged.items(), reverse=True)
    ]
