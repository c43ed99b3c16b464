"""The health of pods: whether they are Ready, and how often their containers were restarted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.core.text.documents import table, table_list, word

_ENDED = {"Succeeded", "Failed"}
_BATCH_OWNERS = {"Job"}


@dataclass(frozen=True, slots=True)
class ContainerHealth:
    """A container of a pod: its restarts, its id, and why its predecessor ended."""

    restarts: int
    id: str
    running: bool
    last_end: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodHealth:
    """A pod as its status shows it; its texts come from the cluster.

    `ends_by_itself` is true for the pod of a Job, whose containers may end and fail on their own.
    """

    uid: str
    namespace: str
    name: str
    node: str
    phase: str = ""
    reason: str = ""
    ready: bool = False
    deleting: bool = False
    ends_by_itself: bool = False
    containers: Mapping[str, ContainerHealth] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return the pod's namespace and name."""
        return f"{self.namespace}/{self.name}"


def pod_health(raw: Any) -> PodHealth | None:
    """Parse a pod; return None for a value without a uid or a node."""
    metadata, spec, status = table(raw, "metadata"), table(raw, "spec"), table(raw, "status")
    uid, node = word(metadata, "uid"), word(spec, "nodeName")
    if not uid or not node:
        return None
    return PodHealth(
        uid=uid,
        namespace=word(metadata, "namespace"),
        name=word(metadata, "name"),
        node=node,
        phase=word(status, "phase"),
        reason=word(status, "reason"),
        ready=any(
            word(condition, "type") == "Ready" and word(condition, "status") == "True"
            for condition in table_list(status, "conditions")
        ),
        deleting=bool(word(metadata, "deletionTimestamp")),
        ends_by_itself=any(
            word(owner, "kind") in _BATCH_OWNERS
            for owner in table_list(metadata, "ownerReferences")
        ),
        containers=dict(_containers(status)),
    )


def has_ended(pod: PodHealth) -> bool:
    """Return whether a pod has ended or is being deleted."""
    return pod.deleting or pod.phase in _ENDED


def _containers(status: Mapping[str, Any]) -> Iterator[tuple[str, ContainerHealth]]:
    """Yield the containers; init containers count as well, as sidecars are among them."""
    for key in ("initContainerStatuses", "containerStatuses"):
        for item in table_list(status, key):
            restarts = item.get("restartCount")
            last_end = table(table(item, "lastState"), "terminated")
            yield (
                word(item, "name"),
                ContainerHealth(
                    restarts=restarts if isinstance(restarts, int) else 0,
                    id=word(item, "containerID"),
                    running="running" in table(item, "state"),
                    last_end=word(last_end, "reason"),
                ),
            )
