"""The history of rollouts as nodes tell it: their audit logs, merged by rollout ID."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.core.history.audit import CLOCK_ERROR, AuditEvent, AuditLog
from fleet.core.history.rollout_ids import begun_at
from fleet.core.model.outcome import NodeStatus

UNCONFIRMED = "unconfirmed"
"""The status of a node whose change was neither confirmed nor reverted so far."""
_UNLOCK = "unlock"
_RELEASE = "release"

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

Purpose = tuple[str, str]
"""The kind and the message of a rollout."""


@dataclass(frozen=True, slots=True)
class NodeEntries:
    """The entries of one rollout on one node, in the order of its log."""

    events: tuple[AuditEvent, ...]

    @property
    def status(self) -> str:
        """Return how the rollout ended on this node; pending if it changed nothing there."""
        known = [_STATUS.get((event.step, event.result)) for event in self.events]
        return next((status for status in reversed(known) if status), str(NodeStatus.PENDING))

    def purpose(self, *, released: bool = False) -> Purpose | None:
        """Return the kind and the message of the rollout; None if no entry has a kind.

        A release counts only if `released`: a later rollout may have released this one's lock.
        """
        for event in self.events:
            if event.kind not in {"", _UNLOCK} and (released or event.step != _RELEASE):
                return event.kind, event.message
        return None


@dataclass(frozen=True, slots=True)
class RolloutEntries:
    """The entries of one rollout on all nodes that it worked on; a node without any is not here.

    A node may have written anything into its log. What the rollout was is what most nodes say.
    """

    rollout: str
    nodes: Mapping[str, NodeEntries]
    span: tuple[str, str]
    """The times of the first and the last entry, by the clocks of the nodes."""

    @property
    def kind(self) -> str:
        """Return the kind of the rollout; empty if no entry has it."""
        return self._purpose()[0]

    @property
    def message(self) -> str:
        """Return the message of the rollout; empty if it had none."""
        return self._purpose()[1]

    @property
    def differing(self) -> dict[str, Purpose]:
        """Return the kind and the message of each node that has others than most nodes."""
        usual = self._purpose()
        purposes = ((name, node.purpose()) for name, node in self.nodes.items())
        return {name: purpose for name, purpose in purposes if purpose and purpose != usual}

    @property
    def operators(self) -> list[str]:
        """Return who began the rollout, then who resumed or unlocked it.

        Those that only nodes with another kind or message name come last.
        """
        differing = self.differing
        events = [
            (name in differing, event.at, event.operator)
            for name, node in self.nodes.items()
            for event in node.events
        ]
        ordered = sorted(events, key=lambda event: event[:2])
        return list(dict.fromkeys(operator for *_, operator in ordered))

    def _purpose(self) -> Purpose:
        nodes = self.nodes.values()
        purposes = [node.purpose() for node in nodes]
        if not any(purposes):
            purposes = [node.purpose(released=True) for node in nodes]
        counts = Counter(filter(None, purposes))
        return counts.most_common(1)[0][0] if counts else ("", "")


def _span(rollout: str, nodes: Iterable[NodeEntries], now: datetime) -> tuple[str, str]:
    """Return the first and the last time of entries.

    A time before the rollout or in the future counts only if no entry has a better one.
    """
    times = sorted(event.at for node in nodes for event in node.events)
    begun = begun_at(rollout) or now
    least, most = (
        f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (begun - CLOCK_ERROR, now + CLOCK_ERROR)
    )
    times = [time for time in times if least <= time <= most] or times
    return times[0], times[-1]


def merge_logs(logs: Mapping[str, AuditLog], now: datetime) -> list[RolloutEntries]:
    """Merge the logs of nodes by rollout ID, the newest first, since IDs sort by time."""
    merged: dict[str, dict[str, list[AuditEvent]]] = {}
    for name, log in logs.items():
        for event in log.events:
            merged.setdefault(event.rollout, {}).setdefault(name, []).append(event)
    return [_merged(rollout, nodes, now) for rollout, nodes in sorted(merged.items(), reverse=True)]


def _merged(
    rollout: str, events: Mapping[str, Sequence[AuditEvent]], now: datetime
) -> RolloutEntries:
    nodes = {name: NodeEntries(tuple(of_node)) for name, of_node in events.items()}
    return RolloutEntries(rollout, nodes, _span(rollout, nodes.values(), now))
