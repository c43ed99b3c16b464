"""The clusters of a job: the first look at them, and the gates of its batches and nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleet.actions.cluster_gates import BatchGates
from fleet.actions.cluster_watch import ClusterWatch, Patience
from fleet.actions.drains import drain_targets
from fleet.actions.journaling import operator, timestamp
from fleet.actions.options import RolloutOptions
from fleet.actions.user_interface import Progress
from fleet.core.kubernetes.cordon import CordonMark
from fleet.core.kubernetes.gates import NotReady, not_ready
from fleet.core.kubernetes.traces import Change
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.state import RolloutState
from fleet.engine.cluster_gates import ClusterGates
from fleet.engine.cluster_traces import ClusterTraces, TracedNode
from fleet.engine.drains import NodeDrains
from fleet.errors import FleetError
from fleet.kubernetes.client import ClusterError

if TYPE_CHECKING:
    from fleet.actions.job import Job

FIRST_PATIENCE = 10.0
"""Seconds for which an API is asked before anything is changed."""


PATIENCE = 120.0
"""Seconds for which an API is asked during the rollout: a control plane may restart."""


def watch_clusters(nodes: Sequence[Node], options: RolloutOptions) -> ClusterWatch | None:
    """Return the clusters of a fleet's nodes; None if they have none."""
    if options.kube_context is None and not any(node.kubernetes for node in nodes):
        return None
    return ClusterWatch(nodes, options.kube_context)


def look_at_clusters(job: Job) -> None:
    """Read the Node objects of a job before anything is changed.

    A node without one fails. Raise a FleetError if a cluster cannot be asked.
    """
    if job.watch is None:
        return
    try:
        patience = Patience(say=job.session.ui.message, seconds=FIRST_PATIENCE)
        nodes, unmatched = job.watch.nodes(patience)
    except ClusterError as error:
        failure = error.failure
        raise FleetError(f"{failure.message}. Nothing was changed; {failure.remedy}") from error
    job.not_ready = frozenset(name for name, node in nodes.items() if not_ready(node))
    for name, failure in unmatched.items():
        if name in job.plans and name not in job.outcomes:
            failed = NodeStatus.FAILED
            job.outcomes[name] = NodeOutcome(node=name, status=failed, failure=failure)


def drains_of(job: Job, progress: Progress) -> NodeDrains | None:
    """Return the cordons and drains of this run; None if none are asked for."""
    if not job.options.cordons or not job.clusters:
        return None
    return NodeDrains(
        mark=CordonMark(job.id, timestamp(), operator()),
        drain=job.options.draining,
        targets=drain_targets(job.clusters),
        report=progress.line,
        stopping=progress.stopping,
    )


def gates_of(
    job: Job, state: RolloutState, progress: Progress, drains: NodeDrains | None
) -> ClusterGates | None:
    """Return the gates of a job's batches and nodes; None without a cluster."""
    if job.watch is None:
        return None
    return BatchGates(
        watch=job.watch,
        patience=Patience(say=progress.line, stopping=progress.stopping, seconds=PATIENCE),
        batches=state.batches,
        choice=NotReady(job.options.not_ready),
        ready_lag=job.options.ready_lag,
        unready=state.unready,
        drains=drains,
        kubelets=lambda name: job.plans[name].strategy == _K3S,
    )


@contextmanager
def tracing(job: Job, say: Callable[[str], None]) -> Iterator[ClusterTraces | None]:
    """Open the traces of a job in its clusters; at the end, show what could not be written."""
    watch = job.watch
    if watch is None:
        yield None
        return

    def traced(name: str) -> TracedNode | None:
        place = watch.cluster_of(name)
        return None if place is None else TracedNode(place[0], _change(job, place[1]))

    traces = ClusterTraces(traced)
    try:
        yield traces
    finally:
        for line in traces.close():
            say(line)


def _change(job: Job, node: str) -> Change:
    return Change(
        node=node,
        kind=job.kind,
        rollout=job.id,
        operator=operator(),
        message=job.options.message,
    )


def trace_settled(job: Job, names: Sequence[str]) -> None:
    """Trace the ends of changes that a resume has settled."""
    say = job.session.ui.message
    with tracing(job, say) as traces:
        if job.watch is None or traces is None:
            return
        try:
            job.watch.nodes(Patience(say=say, seconds=FIRST_PATIENCE))
        except ClusterError as error:
            say(f"no traces of what was settled: {error.failure.message}")
            return
        for name in names:
            if (outcome := job.outcomes.get(name)) is not None:
                traces.settled(outcome)


_K3S = "registries.yaml"
"""The strategy of k3s and RKE2, whose unit runs containerd and the kubelet."""
