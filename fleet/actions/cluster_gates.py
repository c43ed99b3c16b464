"""The cluster's gates of a rollout: asked before and after each batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from fleet.actions.cluster_watch import ClusterWatch, Patience, StoppedError
from fleet.core.failure import Failure
from fleet.core.kubernetes.gates import (
    Judgement,
    NodeView,
    NotReady,
    Snapshot,
    decide_after,
    decide_before,
    judge,
)
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateDecision
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.engine.drains import NodeDrains
from fleet.kubernetes.client import ClusterError
from fleet.node.work_order import WorkOrder

RECOVERY = 60.0
"""Seconds for which a finding that may pass by itself is waited for."""


LOOK_AGAIN = 3.0
"""Seconds between two looks at what may pass by itself."""


_CHANGED = {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK, NodeStatus.DEGRADED}


@dataclass(slots=True, kw_only=True)
class BatchGates:
    """The gates of one rollout.

    `ready_lag` is the time by which the condition Ready may lag behind a restart. `unready` are
    nodes that an earlier run of fleet found not Ready before their batch. `kubelets` are the nodes
    whose kubelet restarts with containerd.
    """

    watch: ClusterWatch
    patience: Patience
    batches: tuple[tuple[str, ...], ...]
    choice: NotReady
    ready_lag: float
    unready: frozenset[str] = frozenset()
    kubelets: Callable[[str], bool] = lambda _: False
    drains: NodeDrains | None = None
    _snapshots: dict[str, Snapshot] = field(default_factory=dict)
    _restarted: dict[str, float] = field(default_factory=dict)
    _flagged: set[str] = field(default_factory=set)

    @property
    def node_seconds(self) -> float:
        """Return the most seconds that the cordon and the drain of one node may take."""
        return self.drains.seconds if self.drains is not None else 0.0

    def before_batch(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision | None:
        """Decide about a batch before it begins, and remember its nodes and pods as they are."""
        return self._decided(lambda: self._before(batch, nodes))

    def after_batch(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision | None:
        """Decide about a batch, and the nodes of earlier batches, after Ready has had its time."""
        return self._decided(lambda: self._after(batch, nodes))

    def before_node(self, order: WorkOrder) -> Failure | None:
        """Cordon and drain a node, if that is asked for."""
        return self.drains.before(order) if self.drains is not None else None

    def after_node(self, order: WorkOrder, result: NodeOutcome | Failure) -> NodeOutcome | Failure:
        """Note when the node's containerd has restarted, and undo fleet's own cordon."""
        if isinstance(result, Failure):
            return result
        if result.restarted:
            soaked = order.deadlines.soak if result.status is NodeStatus.CONVERGED else 0
            self._restarted[order.node.name] = time.monotonic() - soaked
        return result if self.drains is None else self.drains.after(order, result)

    def _decided(self, decide: Callable[[], GateDecision]) -> GateDecision | None:
        """Return a decision; one that a cluster does not allow halts the rollout."""
        try:
            return decide()
        except StoppedError:
            return None
        except ClusterError as error:
            remedy = f"{error.failure.remedy}; then resume the rollout"
            return GateDecision(halt=replace(error.failure, remedy=remedy))

    def _before(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision:
        waiting = [name for name, status in nodes.items() if status.not_begun]
        names = [name for name in self.batches[batch] if nodes[name].not_begun]
        found, unmatched = self.watch.nodes(self.patience)
        pods = self.watch.pods(names, self.patience)
        for name in names:
            if name in found:
                self._snapshots[name] = Snapshot(found[name], pods.get(name, ()))
        return decide_before(waiting, names, found, unmatched, self.choice)

    def _after(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision:
        changed = [
            name
            for name in self.batches[batch]
            if nodes[name] in _CHANGED and name in self.watch.names and name not in self.unready
        ]
        if not changed:
            return GateDecision()
        began = time.monotonic()
        lag = self._wait_for_ready(changed)
        views, judgement = self._judged(batch, changed, nodes)
        converged = {name for name in views if nodes[name] is NodeStatus.CONVERGED}
        waited = max(0.0, time.monotonic() - began)
        decision = decide_after(judgement, views, converged, waited if lag or waited > 1 else 0.0)
        self._flagged |= decision.flagged.keys()
        for name, view in views.items():
            if view.node is not None:
                self._snapshots[name] = Snapshot(view.node)
        return decision

    def _wait_for_ready(self, names: Collection[str]) -> float:
        """Wait until Ready would show what a restart has done; return the seconds."""
        restarts = [self._restarted[name] for name in names if name in self._restarted]
        left = max(restarts, default=float("-inf")) + self.ready_lag - time.monotonic()
        if left <= 0:
            return 0.0
        self.patience.say(
            f"waiting {left:.0f} s before asking the cluster: Ready lags behind a restart"
        )
        self.patience.sleep(left)
        return left

    def _judged(
        self, batch: int, changed: Collection[str], nodes: Mapping[str, NodeStatus]
    ) -> tuple[dict[str, NodeView], Judgement]:
        """Judge the nodes, and those that may recover again until they have or time is up."""
        views = self._views(changed, self._earlier(changed, nodes))
        judgement = judge(views)
        until = time.monotonic() + RECOVERY
        told = False
        while (waiting := judgement.open) and time.monotonic() < until:
            if not told:
                seconds = f"for up to {RECOVERY:.0f} s"
                names = compress(waiting)
                count = counted(len(waiting), "node")
                self.patience.say(f"waiting {seconds} for {count} to recover: {names}")
            told = True
            self.patience.sleep(LOOK_AGAIN)
            views |= self._views([name for name in waiting if name in changed],
                                 [name for name in waiting if name not in changed])  # fmt: skip
            judgement = judge(views)
        return views, judgement

    def _earlier(self, changed: Collection[str], nodes: Mapping[str, NodeStatus]) -> list[str]:
        """Return the converged nodes of earlier batches with which nothing was wrong so far."""
        return [
            name
            for name in self._snapshots
            if name not in changed
            and name not in self._flagged
            and nodes[name] is NodeStatus.CONVERGED
        ]

    def _views(self, changed: Collection[str], earlier: Collection[str]) -> dict[str, NodeView]:
        names = (*changed, *earlier)
        found = self.watch.some_nodes(names, self.patience)
        pods = self.watch.pods(changed, self.patience)
        return {
            name: NodeView(
                before=self._snapshots.get(name),
                node=found.get(name),
                pods=pods.get(name, ()),
                restarts_kubelet=self.kubelets(name),
            )
            for name in names
        }
