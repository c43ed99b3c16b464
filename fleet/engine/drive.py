"""The loop that carries a rollout out: the state machine's moves, the workers, the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass

from fleet.core.outcome import Failure, FailureKind, NodeOutcome, NodeStatus
from fleet.core.record import SETTLE
from fleet.core.rollout import (
    BatchBegun,
    BatchSoaked,
    Check,
    Event,
    Finish,
    Halt,
    Launch,
    Move,
    NodeMoved,
    Policy,
    Revert,
    RolloutState,
    Soak,
    Stage,
    Wait,
    advance,
    next_move,
)
from fleet.engine.pool import bug_of
from fleet.errors import JournalError
from fleet.node.after import recheck, revert
from fleet.node.converge import converge
from fleet.node.order import WorkOrder
from fleet.node.stage import release, stage

Work = Callable[[WorkOrder], NodeOutcome]

_WORK: Mapping[NodeStatus, Work] = {
    NodeStatus.STAGING: stage,
    NodeStatus.RUNNING: converge,
    NodeStatus.CHECKING: recheck,
    NodeStatus.REVERTING: revert,
}


@dataclass(frozen=True, slots=True)
class Conduct:
    """What surrounds the loop: the journal and the screen, a wish to stop, and new pools."""

    record: Callable[[Event, NodeOutcome | None], None]
    stopping: Callable[[], bool]
    pool: Callable[[], Executor]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a rollout ended: finished, halted or interrupted, and why.

    `stuck` says that a worker never came back: its thread would hold a normal exit up.
    """

    state: RolloutState
    status: str
    reason: str = ""
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    node: str
    status: NodeStatus
    until: float


def drive(
    state: RolloutState, policy: Policy, orders: Mapping[str, WorkOrder], conduct: Conduct
) -> Ended:
    """Run moves until the state machine finishes or halts; journal before act."""
    return _Driver(state, policy, orders, conduct).run()


class _Driver:
    """The loop's own state: what is in flight, and what keeps it from going on."""

    def __init__(
        self,
        state: RolloutState,
        policy: Policy,
        orders: Mapping[str, WorkOrder],
        conduct: Conduct,
    ) -> None:
        self._state, self._policy, self._orders = state, policy, orders
        self._conduct = conduct
        self._running: dict[Future[NodeOutcome], _Task] = {}
        self._pool = conduct.pool()
        self._broken = ""
        self._stuck = False
        self._announced = -1

    def run(self) -> Ended:
        ended = self._ended()
        self._let_go()
        self._pool.shutdown(wait=not self._stuck)
        return Ended(self._state, *ended, stuck=self._stuck)

    def _ended(self) -> tuple[str, str]:
        while True:
            move = next_move(self._state, self._policy)
            held = self._held_up(move)
            match move:
                case Wait():
                    self._collect()
                case Halt(reason):
                    return "halted", reason
                case Finish():
                    return "finished", ""
                case _ if held is None:
                    self._act(move)
                case _ if self._running:
                    self._collect()
                case _:
                    return held

    def _held_up(self, move: Move) -> tuple[str, str] | None:
        """Say why a move may not be made: the journal is broken, or somebody wants to stop."""
        if self._broken:
            return "halted", self._broken
        beginning = isinstance(move, Stage | Soak) or (
            isinstance(move, Launch) and move.batch > self._state.begun
        )
        if beginning and self._conduct.stopping():
            return "interrupted", "stopped before the next batch"
        return None

    def _act(self, move: Move) -> None:
        match move:
            case Stage(nodes):
                self._start(nodes, NodeStatus.STAGING)
            case Launch(nodes, number):
                if number == self._announced or self._record(BatchBegun(number)):
                    self._announced = number
                    self._start(nodes, NodeStatus.RUNNING)
            case Soak(number):
                self._soak(number)
            case Check(nodes):
                self._start(nodes, NodeStatus.CHECKING)
            case Revert(nodes):
                self._start(nodes, NodeStatus.REVERTING)
            case Wait() | Halt() | Finish():
                pass

    def _soak(self, number: int) -> None:
        """Let a batch stand, unless somebody wants the rollout to stop here."""
        until = time.monotonic() + self._policy.pause
        while not self._conduct.stopping() and (left := until - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
        if not self._conduct.stopping():
            self._record(BatchSoaked(number))

    def _record(self, event: Event, outcome: NodeOutcome | None = None) -> bool:
        """Write an event down; what is not in the journal is not begun."""
        try:
            self._conduct.record(event, outcome)
        except JournalError as error:
            self._broken = str(error)
            if outcome is None:
                return False
        self._state = advance(self._state, event)
        return True

    def _start(self, nodes: Iterable[str], status: NodeStatus) -> None:
        for name in nodes:
            if not self._record(NodeMoved(name, status)):
                return
            order = self._orders[name]
            future = self._pool.submit(_WORK[status], order)
            seconds = order.staging if status is NodeStatus.STAGING else order.seconds
            self._running[future] = _Task(name, status, time.monotonic() + seconds)

    def _collect(self) -> None:
        done, _ = wait(self._running, timeout=1, return_when=FIRST_COMPLETED)
        for future in done:
            task = self._running.pop(future)
            bug = bug_of(future)
            outcome = future.result() if bug is None else _broken(task, bug)
            self._record(NodeMoved(task.node, outcome.status), outcome)
        now = time.monotonic()
        for future in [each for each, task in self._running.items() if task.until < now]:
            self._abandon(self._running.pop(future))

    def _abandon(self, task: _Task) -> None:
        """Give a worker up that holds the rollout; its place in the pool is lost."""
        self._stuck = True
        self._pool.shutdown(wait=False)
        self._pool = self._conduct.pool()
        message = "its worker did not come back in time; the guard takes the change back by itself"
        outcome = _broken(task, Failure(FailureKind.TIMEOUT, SETTLE, message))
        self._record(NodeMoved(task.node, outcome.status), outcome)

    def _let_go(self) -> None:
        """Take the locks off nodes that were staged, and will not be activated."""
        staged = self._state.at(NodeStatus.STAGED)
        futures = {self._pool.submit(release, self._orders[name]): name for name in staged}
        seconds = max((self._orders[name].staging for name in staged), default=0)
        done, stuck = wait(futures, timeout=seconds)
        self._stuck = self._stuck or bool(stuck)
        for future in done:
            if bug_of(future) is None:
                name = futures[future]
                self._record(NodeMoved(name, NodeStatus.PENDING), future.result())


def _broken(task: _Task, failure: Failure) -> NodeOutcome:
    """Return what is known of a node whose worker failed: before the swap it is untouched."""
    status = NodeStatus.UNREACHABLE if failure.step == SETTLE else NodeStatus.DEGRADED
    if task.status is NodeStatus.STAGING:
        status = NodeStatus.FAILED
        failure = Failure(failure.kind, "stage", failure.message, failure.evidence)
    return NodeOutcome(node=task.node, status=status, failure=failure)
