"""The cordon and the drain of cluster nodes around the work on them.

Only nodes whose containerd restarts are cordoned and drained. fleet's own cordon is undone at the
end of a node's work. It stays on a node that is degraded or lost, until `fleet resume` or
`fleet unlock`: new pods could not start there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from fleet.core.failure import Failure, Step
from fleet.core.kubernetes.cordon import Cordon, CordonMark
from fleet.core.kubernetes.drain import STOPPED, DrainOptions, is_passing
from fleet.core.model.change import RestartCost
from fleet.core.model.outcome import DrainResult, NodeOutcome, NodeStatus
from fleet.kubernetes.client import SECONDS, Cluster
from fleet.kubernetes.cordon import cordon, uncordon
from fleet.kubernetes.drain import drain
from fleet.kubernetes.errors import ClusterError
from fleet.node.progress import enter, leave
from fleet.node.work_order import WorkOrder

PATIENCE = 60
"""Seconds to wait for an API that is away, when a node is cordoned and when it is uncordoned."""


@dataclass(frozen=True, slots=True)
class DrainTarget:
    """A node of a cluster: the API of the cluster, and the name of the Node object."""

    cluster: Cluster
    name: str


@dataclass(slots=True, kw_only=True)
class NodeDrains:
    """The cordons and drains of one rollout; `drain` is None if nodes are only cordoned.

    A node that is missing in `targets` is not in a cluster.
    """

    mark: CordonMark
    drain: DrainOptions | None
    targets: Mapping[str, DrainTarget | Failure]
    report: Callable[[str], None]
    stopping: Callable[[], bool] = lambda: False
    _results: dict[str, DrainResult] = field(default_factory=dict)
    _stopped: set[str] = field(default_factory=set)

    @property
    def seconds(self) -> float:
        """Return the most seconds that the work on one node may take, without its activation."""
        calls = 2 * (PATIENCE + SECONDS)
        return calls + (self.drain.timeout + SECONDS if self.drain else 0)

    def before(self, order: WorkOrder) -> Failure | None:
        """Cordon and drain a node whose containerd will restart; return why that failed."""
        name = order.node.name
        target = self.targets.get(name)
        if target is None or order.plan.restart.cost is not RestartCost.RESTART:
            return None
        if isinstance(target, Failure):
            return target
        return self._cordon(name, target) or self._drain(name, target)

    def _cordon(self, name: str, target: DrainTarget) -> Failure | None:
        enter(name, Step.CORDON)
        try:
            whose = cordon(target.cluster, target.name, self.mark, PATIENCE)
        except ClusterError as error:
            if is_passing(error.status):  # the cordon may be in force, and its answer lost
                self._results[name] = DrainResult(still_cordoned=True)
            return error.failure
        ours = whose is Cordon.FLEET
        self._results[name] = DrainResult(cordoned=ours, kept_cordon=not ours, still_cordoned=ours)
        return None

    def _drain(self, name: str, target: DrainTarget) -> Failure | None:
        if self.drain is None:
            return None
        enter(name, Step.DRAIN)
        began = time.monotonic()
        say = partial(self._say, name)
        pods = drain(target.cluster, target.name, self.drain, say, self.stopping)
        if isinstance(pods, Failure):
            if pods is STOPPED:
                self._stopped.add(name)
            return pods
        self._results[name] = replace(
            self._results[name],
            drained=True,
            evicted=tuple(pod.title for pod in pods),
            seconds=round(time.monotonic() - began, 2),
        )
        return None

    def _say(self, name: str, text: str) -> None:
        self.report(f"{name}: {text}")

    def after(self, order: WorkOrder, outcome: NodeOutcome) -> NodeOutcome:
        """Undo fleet's own cordon of a node; return the outcome with what was done to its pods.

        A node whose drain the user has stopped is pending again.
        """
        name = order.node.name
        leave(name)
        result = self._results.get(name)
        if result is None:
            return outcome
        if not _is_lost(outcome):
            result = self._uncordoned(name, result)
        if name in self._stopped:
            outcome = replace(outcome, status=NodeStatus.PENDING, failure=None)
        return replace(outcome, drain=result)

    def finish(
        self, outcomes: Iterable[NodeOutcome], report: Callable[[str], None]
    ) -> Iterator[NodeOutcome]:
        """Try again to undo cordons that are left; yield the outcomes that this changes."""
        self.report = report
        for outcome in outcomes:
            result = outcome.drain or self._results.get(outcome.node)
            if result is not None and not _is_lost(outcome):
                result = self._uncordoned(outcome.node, result)
            if result is not None and result != outcome.drain:
                yield replace(outcome, drain=result)

    def _uncordoned(self, name: str, result: DrainResult) -> DrainResult:
        target = self.targets.get(name)
        if not isinstance(target, DrainTarget) or not result.still_cordoned:
            return result
        try:
            uncordon(target.cluster, target.name, self.mark.rollout, PATIENCE)
        except ClusterError as error:
            self._say(name, f"still cordoned: {error.failure.message}")
            return result
        return replace(result, still_cordoned=False)


def lift_cordons(targets: Mapping[str, DrainTarget], rollout: str) -> dict[str, Failure | None]:
    """Undo the cordons of a rollout; return the nodes that had one, and why one was not undone."""
    ends: dict[str, Failure | None] = {}
    for name, target in targets.items():
        try:
            if uncordon(target.cluster, target.name, rollout, PATIENCE):
                ends[name] = None
        except ClusterError as error:
            ends[name] = error.failure
    return ends


def _is_lost(outcome: NodeOutcome) -> bool:
    """Return whether a node is degraded, or its state is unknown."""
    failure = outcome.failure
    lost = failure is not None and failure.step is Step.SETTLE
    return lost or outcome.status is NodeStatus.DEGRADED
