"""The traces of a change on its Node object: Events at its begin and end, and an annotation.

Events expire, by default after an hour. The annotation stays until the next change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import NodeOutcome, NodeStatus

COMPONENT = "containerd-fleet"
NAMESPACE = "default"
"""The namespace of Events on objects that have none, such as Nodes."""


GENERATION = "containerd-fleet/generation"
"""The annotation that names the generation of the last change, which is the id of its rollout."""
_MOST_MESSAGE = 1024
"""The longest message that the API takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A rollout's change of one node: `kind` is rollout, rollback, undo or remove."""

    node: str
    kind: str
    rollout: str
    operator: str
    message: str = ""

    @property
    def _about(self) -> str:
        reason = f": {self.message}" if self.message else ""
        return f"{self.kind} {self.rollout} of {self.operator}{reason}"

    def begin_event(self, at: str, *, reverting: bool = False) -> dict[str, Any]:
        """Return the Event at the begin of the change; `at` is the time in RFC 3339."""
        work, reason = ("reverts", "RegistryConfigReverting") if reverting else _BEGIN
        note = f"fleet {work} the registry config of containerd ({self._about})"
        return self._event(reason, "Normal", note, at)

    def end_event(self, outcome: NodeOutcome, at: str) -> dict[str, Any]:
        """Return the Event at the end of the change."""
        reason, kind = _ENDS.get(outcome.status, ("RegistryConfigFailed", "Warning"))
        failure = f": {outcome.failure.message}" if outcome.failure is not None else ""
        note = f"fleet ended with {outcome.status.words}{failure} ({self._about})"
        return self._event(reason, kind, note, at)

    def _event(self, reason: str, kind: str, note: str, at: str) -> dict[str, Any]:
        # kubelet refers to its Node by the name instead of the UID, and kubectl looks for that.
        node = {"kind": "Node", "apiVersion": "v1", "name": self.node, "uid": self.node}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": "containerd-fleet-", "namespace": NAMESPACE},
            "involvedObject": node,
            "reason": reason,
            "type": kind,
            "message": tail(note, 1)[:_MOST_MESSAGE],
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self.operator[-128:],
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        }

    def annotation(
        self, outcome: NodeOutcome, present: str | None, before: str | None
    ) -> dict[str, Any] | None:
        """Return the merge patch that annotates the Node; None if its annotation is right.

        `present` is the generation that it names now. A node that was reverted gets back the
        generation that it named `before` the rollout.
        """
        generation = present
        if outcome.status is NodeStatus.CONVERGED and outcome.changed:
            generation = None if self.kind == "remove" else outcome.generation
        elif outcome.status is NodeStatus.ROLLED_BACK and present == self.rollout:
            generation = before
        if generation == present:
            return None
        return {"metadata": {"annotations": {GENERATION: generation}}}


_BEGIN = ("changes", "RegistryConfigChanging")
_ENDS = {
    NodeStatus.CONVERGED: ("RegistryConfigChanged", "Normal"),
    NodeStatus.ROLLED_BACK: ("RegistryConfigReverted", "Warning"),
    NodeStatus.UNCHANGED: ("RegistryConfigUnchanged", "Normal"),
}
