"""The input and the output of a driver: the hooks that it calls, and the end of its rollout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.state import Event, RolloutState, RolloutStatus
from fleet.engine.cluster_gates import ClusterGates
from fleet.engine.node_work import NodeWork
from fleet.engine.workers.base import WorkerPool

JournaledEvent = tuple[Event, NodeOutcome | None]
"""An event, and the node's outcome if the event is the end of the work on it."""


EventSink = Callable[[Sequence[JournaledEvent]], None]
"""Takes events in their order; those of one call are one write to the journal.

A JournalError from it halts the rollout: work that is not journaled is not begun.
"""


QuorumHook = Callable[[Sequence[str], Mapping[str, NodeStatus], ControlPlaneLimit], str]
"""Takes the nodes that are about to be taken down, the status of all nodes, and the limit.

After the last of them it is called without nodes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverHooks:
    """The hooks of one driver."""

    record: EventSink
    pool: WorkerPool
    stopping: Callable[[], bool] = lambda: False
    check_plane: Callable[[Mapping[str, NodeStatus]], ControlPlaneLimit] | None = None
    """Probes the control plane nodes that this rollout has not locked; returns the limit."""
    check_quorum: QuorumHook | None = None
    """Returns why control plane nodes must not be taken down: etcd would lose its quorum."""
    work: NodeWork = field(default_factory=NodeWork)
    pausing: Callable[[int], None] = lambda batch: None
    """Called when the pause after a batch begins; batches count from 0."""
    gates: ClusterGates | None = None
    """The gates of the nodes' cluster; None without a cluster."""


@dataclass(frozen=True, slots=True)
class RolloutEnd:
    """The end of a rollout: finished, halted or interrupted, and the reason.

    `stuck` is true if a worker thread did not return: it would block a normal exit.
    """

    state: RolloutState
    status: RolloutStatus
    reason: str = ""
    stuck: bool = False
