"""Threads and order: the survey of many nodes, and the loop that carries a rollout out."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from fleet.core.facts import NodeFacts
from fleet.core.model import Node
from fleet.core.outcome import Failure, FailureKind, NodeOutcome, NodeStatus
from fleet.core.plan import NodePlan, plan_node
from fleet.core.rollback import plan_rollback
from fleet.core.rollout import (
    Finish,
    Halt,
    Launch,
    NodeMoved,
    Policy,
    RolloutState,
    Wait,
    advance,
    next_move,
)
from fleet.core.strategies.base import Wishes
from fleet.node.converge import converge
from fleet.node.order import Access, WorkOrder
from fleet.node.reading import ProbeOrder, VerifyOrder, probe, verify

_Order = TypeVar("_Order")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What one node's survey came to: its facts where it answered, and its plan."""

    node: Node
    facts: NodeFacts | None
    plan: NodePlan


def each(
    work: Callable[[_Order], _Result], orders: Sequence[_Order], parallel: int
) -> Iterator[tuple[_Order, _Result | Failure]]:
    """Do read-only work on many nodes at once; yield results as they come.

    An exception out of a worker is a bug; it becomes a failure with its traceback.
    """
    with ThreadPoolExecutor(max(1, min(parallel, len(orders) or 1))) as pool:
        running: dict[Future[_Result], _Order] = {pool.submit(work, o): o for o in orders}
        try:
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    order = running.pop(future)
                    yield order, _bug_of(future) or future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _bug_of(future: Future[Any]) -> Failure | None:
    error = future.exception()
    return None if error is None else _bug(error)


def _bug(error: BaseException) -> Failure:
    evidence = "".join(traceback.format_exception(error)[-4:])
    return Failure(FailureKind.BUG, "bug", f"{type(error).__name__}: {error}", evidence)


def survey(
    nodes: Sequence[Node],
    wishes: Callable[[Node], Wishes],
    access: Access,
    *,
    parallel: int,
) -> Iterator[Surveyed]:
    """Probe nodes and plan each of them; yield them as they answer."""
    orders = [ProbeOrder(node, access, wishes(node).full_default) for node in nodes]
    for order, facts in each(probe, orders, parallel):
        if isinstance(facts, Failure):
            yield Surveyed(order.node, None, NodePlan(node=order.node, failure=facts))
        else:
            yield Surveyed(order.node, facts, plan_node(order.node, facts, wishes(order.node)))


def survey_rollback(
    nodes: Sequence[Node], access: Access, *, to: str | None, parallel: int
) -> Iterator[Surveyed]:
    """Probe nodes with their kept generations, and plan the way back."""
    orders = [ProbeOrder(node, access, walk=to or "latest") for node in nodes]
    for order, facts in each(probe, orders, parallel):
        if isinstance(facts, Failure):
            yield Surveyed(order.node, None, NodePlan(node=order.node, failure=facts))
        else:
            yield Surveyed(order.node, facts, plan_rollback(order.node, facts, to))


def verify_all(orders: Sequence[VerifyOrder], *, parallel: int) -> Iterator[NodeOutcome]:
    """Prove nodes as they are now."""
    for order, outcome in each(verify, orders, parallel):
        if isinstance(outcome, Failure):
            name = order.plan.node.name
            yield NodeOutcome(node=name, status=NodeStatus.FAILED, failure=outcome)
        else:
            yield outcome


@dataclass(frozen=True, slots=True)
class Conduct:
    """What surrounds the loop: journal and screen, the pause in seconds, and a wish to stop."""

    record: Callable[[NodeMoved, NodeOutcome | None], None]
    batch: Callable[[int, tuple[str, ...]], None]
    stopping: Callable[[], bool]
    pause: float = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a rollout ended: finished, halted or interrupted, and why."""

    state: RolloutState
    status: str
    reason: str = ""


def drive(
    state: RolloutState,
    policy: Policy,
    orders: Mapping[str, WorkOrder],
    conduct: Conduct,
    executor: Executor,
) -> Ended:
    """Run moves until the state machine finishes or halts; journal before act."""
    return _Driver(state, policy, orders, conduct, executor).run()


class _Driver:
    """The loop's own state: what is in flight, and which batch was begun."""

    def __init__(
        self,
        state: RolloutState,
        policy: Policy,
        orders: Mapping[str, WorkOrder],
        conduct: Conduct,
        executor: Executor,
    ) -> None:
        self._state, self._policy, self._orders = state, policy, orders
        self._conduct, self._executor = conduct, executor
        self._running: dict[Future[NodeOutcome], str] = {}
        self._batch = -1

    def run(self) -> Ended:
        while True:
            match next_move(self._state, self._policy):
                case Launch(nodes, number):
                    if number != self._batch and not self._begin(number):
                        return Ended(self._state, "interrupted", "stopped before the next batch")
                    self._launch(nodes)
                case Wait():
                    self._collect()
                case Halt(reason):
                    return Ended(self._state, "halted", reason)
                case Finish():
                    return Ended(self._state, "finished")

    def _begin(self, number: int) -> bool:
        """Begin a batch, unless somebody wants the rollout to stop here."""
        until = time.monotonic() + (self._conduct.pause if number else 0)
        while not self._conduct.stopping() and time.monotonic() < until:
            time.sleep(min(0.2, max(0.0, until - time.monotonic())))
        if self._conduct.stopping():
            return False
        self._batch = number
        self._conduct.batch(number, self._state.batches[number])
        return True

    def _move(self, event: NodeMoved, outcome: NodeOutcome | None = None) -> None:
        self._conduct.record(event, outcome)
        self._state = advance(self._state, event)

    def _launch(self, nodes: Iterable[str]) -> None:
        for name in nodes:
            self._move(NodeMoved(name, NodeStatus.RUNNING))
            self._running[self._executor.submit(converge, self._orders[name])] = name

    def _collect(self) -> None:
        done, _ = wait(self._running, timeout=1, return_when=FIRST_COMPLETED)
        for future in done:
            name = self._running.pop(future)
            outcome = _outcome(future, name)
            self._move(NodeMoved(name, outcome.status), outcome)


def _outcome(future: Future[NodeOutcome], name: str) -> NodeOutcome:
    """Return a worker's outcome; after a bug in it nobody knows the node's state."""
    bug = _bug_of(future)
    if bug is not None:
        return NodeOutcome(node=name, status=NodeStatus.DEGRADED, failure=bug)
    return future.result()


def settled(plan: NodePlan) -> NodeOutcome | None:
    """Return the outcome of a node that no batch will hold; None for one that has work to do."""
    if plan.failure is None and plan.changes:
        return None
    status = NodeStatus.UNCHANGED
    if plan.failure is not None:
        status = NodeStatus.UNREACHABLE if plan.failure.kind.unreachable else NodeStatus.FAILED
    return NodeOutcome(
        node=plan.node.name,
        status=status,
        strategy=plan.strategy,
        containerd=plan.containerd,
        failure=plan.failure,
    )


def workers(parallel: int) -> Executor:
    """Return the pool that passes run in; the work waits on the network, so threads do."""
    return ThreadPoolExecutor(max(1, parallel))
