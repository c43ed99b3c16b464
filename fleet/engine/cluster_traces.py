"""The traces of a rollout in clusters: Events and annotations, written beside its work.

One thread writes them in their order, so a slow API never delays a node. A rollout does not depend
on its traces: the first refusal ends those of its kind in its cluster, and is reported at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fleet.core.kubernetes.traces import GENERATION, NAMESPACE, Change
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.text.documents import table, word
from fleet.kubernetes.client import Cluster, api_path
from fleet.kubernetes.errors import ClusterError

_EVENTS = api_path("api", "v1", "namespaces", NAMESPACE, "events")


_TRIES = 3
"""A control plane that restarts during its own change does not answer for a moment."""


_BETWEEN_TRIES = 2.0


_LAST_SECONDS = 15
"""Seconds that the end of a rollout waits for traces."""


_FINAL = {400, 401, 403, 404, 422}
"""Answers that another try does not change."""


@dataclass(frozen=True, slots=True)
class TracedNode:
    """A node whose changes leave traces in its cluster."""

    cluster: Cluster
    change: Change


@dataclass(slots=True)
class ClusterTraces:
    """The traces of one run of a rollout.

    `find` returns a node by its name in the inventory, and None for one that is in no cluster.
    """

    find: Callable[[str], TracedNode | None]
    sleep: Callable[[float], None] = time.sleep
    _open: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)
    _before: dict[str, str | None] = field(default_factory=dict)
    _refused: dict[tuple[int, str], str] = field(default_factory=dict)
    _writes: list[Future[None]] = field(default_factory=list)
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="traces")
    )

    def started(self, name: str, status: NodeStatus) -> None:
        """Trace that the work on a node begins, if it changes the node."""
        traced = self.find(name)
        if traced is None or status not in {NodeStatus.RUNNING, NodeStatus.REVERTING}:
            return
        self._open.add(name)
        self._seen.add(name)
        event = traced.change.begin_event(_now(), reverting=status is NodeStatus.REVERTING)
        self._write(traced, "Events", lambda: traced.cluster.post(_EVENTS, event))

    def ended(self, outcome: NodeOutcome) -> None:
        """Trace the end of a change; a later check of the node counts if it fails."""
        name = outcome.node
        due = name in self._open or (name in self._seen and outcome.status.failed)
        traced = self.find(name) if due else None
        if traced is None or outcome.status.in_flight or outcome.status.not_begun:
            return
        self._open.discard(name)
        event = traced.change.end_event(outcome, _now())
        self._write(traced, "Events", lambda: traced.cluster.post(_EVENTS, event))
        self._write(traced, "annotations", lambda: self._annotate(traced, outcome))

    def settled(self, outcome: NodeOutcome) -> None:
        """Trace the end of a change that another process has begun."""
        self._open.add(outcome.node)
        self.ended(outcome)

    def _annotate(self, traced: TracedNode, outcome: NodeOutcome) -> None:
        path = api_path("api", "v1", "nodes", traced.change.node)
        annotations = table(traced.cluster.get(path), "metadata", "annotations")
        present = word(annotations, GENERATION) or None
        patch = traced.change.annotation(outcome, present, self._before.get(outcome.node))
        if patch is not None:
            traced.cluster.patch(path, patch)
            self._before.setdefault(outcome.node, present)

    def close(self) -> tuple[str, ...]:
        """Wait for the last traces; return a line for each kind that could not be written."""
        _, late = wait(self._writes, _LAST_SECONDS)
        self._thread.shutdown(wait=False, cancel_futures=True)
        lines = list(dict.fromkeys(self._refused.values()))
        if late:
            lines.append("the cluster is slow: its last Events and annotations are missing")
        return tuple(lines)

    def _write(self, traced: TracedNode, kind: str, write: Callable[[], object]) -> None:
        self._writes.append(self._thread.submit(self._try, (id(traced.cluster), kind), write))

    def _try(self, key: tuple[int, str], write: Callable[[], object]) -> None:
        """Write, with further tries; a refusal ends the traces of its kind in its cluster."""
        for left in reversed(range(0 if key in self._refused else _TRIES)):
            try:
                write()
            except ClusterError as error:
                if not left or error.status in _FINAL:
                    failure = error.failure
                    self._refused[key] = f"no {key[1]} on Nodes: {failure.message}"
                    return
                self.sleep(_BETWEEN_TRIES)
            else:
                return


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
