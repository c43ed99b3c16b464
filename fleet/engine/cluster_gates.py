"""The gates of a cluster: asked before and after each batch, and around the work on each node."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Protocol

from fleet.core.failure import Failure
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.state import Finish, Launch, Move, RolloutState
from fleet.engine.bugs import isolate_bugs
from fleet.engine.tasks_in_flight import Work
from fleet.engine.workers.base import WorkerPool
from fleet.node.work_order import WorkOrder

_MOST_THREADS = 1 << 16
"""A thread that never returns must not take the place of another one."""


class ClusterGates(Protocol):
    """Gates that the driver asks. All methods run in the process of the driver.

    The methods for a batch run in the thread of the driver, while no work on a node is in flight.
    Those for a node run in a thread of its own. An exception is a bug: it halts the rollout, or
    fails the node.
    """

    @property
    def node_seconds(self) -> float:
        """Return the most seconds that `before_node` and `after_node` may take together."""
        ...

    def before_batch(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision | None:
        """Decide before the first node of a batch is activated; batches count from 0.

        `nodes` is the status of all nodes of the rollout. None means that the user asked to stop
        meanwhile. A resume asks about a batch again, even if that was begun before.
        """
        ...

    def after_batch(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision | None:
        """Decide after a batch and its pause, before the next one; None as for `before_batch`."""
        ...

    def before_node(self, order: WorkOrder) -> Failure | None:
        """Prepare a node for its activation; a failure leaves the node unchanged."""
        ...

    def after_node(self, order: WorkOrder, result: NodeOutcome | Failure) -> NodeOutcome | Failure:
        """Restore a node after its activation, or after `before_node` failed; return the result.

        If the worker died, the method is called once the node is settled.
        """
        ...


class NodePasses:
    """The passes of nodes through their gates: before their activation, and after it."""

    def __init__(self, gates: ClusterGates, pool: WorkerPool) -> None:
        self._gates, self._pool = gates, pool
        self.seconds = gates.node_seconds
        self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="gate")

    def submit(self, work: Work, order: WorkOrder) -> Future[NodeOutcome | Failure]:
        """Submit the activation of a node, with its gates."""
        return self._threads.submit(self._activate, work, order)

    def settle(self, work: Work, order: WorkOrder) -> Future[NodeOutcome | Failure]:
        """Submit the work that settles a node whose worker died, and the gate after it."""
        return self._threads.submit(self._work, work, order)

    def close(self) -> None:
        """Abandon the gates that still run."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _activate(self, work: Work, order: WorkOrder) -> NodeOutcome | Failure:
        name = order.node.name
        failure = isolate_bugs(partial(self._gates.before_node, order), name)
        if failure is None:
            return self._work(work, order)
        unchanged = NodeOutcome(node=name, status=NodeStatus.FAILED, failure=failure, held=True)
        return self._restore(order, unchanged)

    def _work(self, work: Work, order: WorkOrder) -> NodeOutcome | Failure:
        """Return the result of the work; raise a LostWorkerError if its worker died."""
        return self._restore(order, self._pool.submit(work, order).result())

    def _restore(self, order: WorkOrder, result: NodeOutcome | Failure) -> NodeOutcome | Failure:
        return isolate_bugs(partial(self._gates.after_node, order, result), order.node.name)


def due_gate(move: Move, state: RolloutState, asked: int) -> tuple[int, GateTime] | None:
    """Return the batch whose gates are due before a move; `asked` is the last one asked before.

    After a batch they are due once, over all runs of the rollout. Before a batch they are due in
    each run, as the cluster may have changed since.
    """
    launching = move.batch if isinstance(move, Launch) else None
    if launching is None and not isinstance(move, Finish):
        return None
    ended = state.begun if launching is None else min(state.begun, launching - 1)
    if 0 <= ended < len(state.batches) and ended not in state.judged:
        return ended, GateTime.AFTER
    if launching is not None and launching > asked:
        return launching, GateTime.BEFORE
    return None


def ask_gate(
    gates: ClusterGates | None, batch: int, when: GateTime, nodes: Mapping[str, NodeStatus]
) -> GateDecision | None:
    """Return the decision of a gate about a batch; a bug in the gate halts the rollout."""
    if gates is None:
        return GateDecision()
    ask = gates.before_batch if when is GateTime.BEFORE else gates.after_batch
    decision = isolate_bugs(partial(ask, batch, nodes), "cluster")
    return GateDecision(halt=decision) if isinstance(decision, Failure) else decision
