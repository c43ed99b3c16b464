"""The driver of a rollout: it carries out the scheduler's moves on the workers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fleet.core.failure import Failure
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.scheduler import Scheduler
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Check,
    Event,
    Finish,
    GateDecided,
    Halt,
    Launch,
    Move,
    NodeMoved,
    Revert,
    RolloutState,
    RolloutStatus,
    Soak,
    Stage,
    Wait,
)
from fleet.engine.cluster_gates import NodePasses, ask_gate, due_gate
from fleet.engine.hooks import DriverHooks, JournaledEvent, RolloutEnd
from fleet.engine.plane_checks import PlaneChecks
from fleet.engine.suspension import SuspensionClock
from fleet.engine.tasks_in_flight import Task, Tasks, Work, failed_outcome
from fleet.errors import JournalError
from fleet.node.work_order import WorkOrder


def drive(
    state: RolloutState, policy: Policy, orders: Mapping[str, WorkOrder], hooks: DriverHooks
) -> RolloutEnd:
    """Make the scheduler's moves until the rollout ends; journal each move before acting on it."""
    return _Driver(Scheduler(state, policy), policy, orders, hooks).run()


class _Driver:
    """The loop of a driver, with its tasks in flight and the reason to stop, if there is one."""

    def __init__(
        self,
        scheduler: Scheduler,
        policy: Policy,
        orders: Mapping[str, WorkOrder],
        hooks: DriverHooks,
    ) -> None:
        self._scheduler, self._policy, self._orders = scheduler, policy, orders
        self._hooks = hooks
        self._unwritten: list[JournaledEvent] = []
        self._orphaned: set[str] = set()
        self._plane = PlaneChecks(hooks)
        self._journal_error = ""
        self._stop: tuple[RolloutStatus, str] | None = None
        self._stuck = False
        self._asked_batch = -1
        self._passes = NodePasses(hooks.gates, hooks.pool) if hooks.gates is not None else None
        self._announced_batch = -1
        self._clock = SuspensionClock()
        self._tasks = Tasks(hooks.pool, self._clock)

    def run(self) -> RolloutEnd:
        ending = self._run_moves()
        self._release_staged()
        if self._passes is not None:
            self._passes.close()
        self._write(())
        return RolloutEnd(self._scheduler.state, *ending, stuck=self._stuck)

    def _run_moves(self) -> tuple[RolloutStatus, str]:
        while True:
            move = self._next_move()
            gate = self._due_gate(move)
            refusal = self._refusal(move, begins=gate is not None)
            match move:
                case Wait():
                    self._collect()
                case Halt(reason) if not self._check_plane(move):
                    return RolloutStatus.HALTED, reason
                case Finish() if gate is None and self._ends(move):
                    return RolloutStatus.FINISHED, ""
                case _ if refusal is None:
                    if gate is not None:
                        self._ask_gate(*gate)
                    elif not self._check_plane(move):
                        self._act(move)
                case _ if self._tasks:
                    self._collect()
                case _:
                    return refusal

    def _next_move(self) -> Move:
        """Return the scheduler's next move.

        What a gate found unavailable holds for its batch alone: the next batch asks again.
        """
        if self._policy.unavailable and not self._scheduler.is_unfinished(self._asked_batch):
            self._policy = replace(self._policy, unavailable={})
            self._scheduler = Scheduler(self._scheduler.state, self._policy)
        return self._scheduler.next_move()

    def _ends(self, move: Move) -> bool:
        """Return whether the rollout may finish: no gate has halted it, and etcd is well."""
        return self._stop is None and not self._check_plane(move)

    def _refusal(self, move: Move, *, begins: bool) -> tuple[RolloutStatus, str] | None:
        """Return the status and reason of a stop if a move may not be made; else None.

        A stop is due if the journal cannot be written, or if the user asked to stop and the move
        begins a batch, a pause, staging or a gate (`begins`), or if a gate has decided so. Outcomes
        are shown before the user is asked.
        """
        beginning = (
            begins
            or isinstance(move, Stage | Soak)
            or (isinstance(move, Launch) and move.batch > self._scheduler.begun)
        )
        if beginning:
            self._write(())
        if self._journal_error:
            return RolloutStatus.HALTED, self._journal_error
        if beginning and self._hooks.stopping():
            return RolloutStatus.INTERRUPTED, "stopped before the next batch"
        return self._stop

    def _due_gate(self, move: Move) -> tuple[int, GateTime] | None:
        """Return the batch whose gate is due before a move, and the time at which it is asked."""
        launching = isinstance(move, Launch) and move.batch > self._asked_batch
        if self._hooks.gates is None or not (launching or isinstance(move, Finish)):
            return None
        return due_gate(move, self._scheduler.state, self._asked_batch)

    def _ask_gate(self, batch: int, when: GateTime) -> None:
        """Ask the gate about a batch, journal its decision, and apply it.

        It may change the policy and the state, so the scheduler must choose again.
        """
        self._write(())
        decision = ask_gate(self._hooks.gates, batch, when, self._scheduler.state.nodes)
        if decision is None:
            self._stop = RolloutStatus.INTERRUPTED, "stopped while a gate waited"
        elif self._begin([GateDecided(batch, when, decision)]):
            if when is GateTime.BEFORE:
                self._asked_batch = batch
                self._policy = replace(self._policy, unavailable=decision.unavailable)
            self._apply(decision)

    def _apply(self, decision: GateDecision) -> None:
        """Hold nodes back and halt, as a gate has decided."""
        for name, failure in decision.held.items():
            failed = NodeStatus.FAILED
            self._end(name, NodeOutcome(node=name, status=failed, failure=failure, held=True))
        if decision.halt is not None:
            reason = f"{decision.halt.message}; {decision.halt.remedy}"
            self._stop = RolloutStatus.HALTED, reason
        self._scheduler = Scheduler(self._scheduler.state, self._policy)

    def _check_plane(self, move: Move) -> bool:
        """Check the control plane before a move changes one of its nodes; return whether it did.

        The answers may change the limit, so the scheduler must choose again.
        """
        check = None if self._journal_error else self._plane.due(move, self._policy.control_plane)
        if check is None:
            return False
        self._write(())
        state = self._scheduler.state
        try:
            self._policy = replace(self._policy, control_plane=check(state.nodes))
        except JournalError as error:
            self._journal_error = str(error)
        self._scheduler = Scheduler(state, self._policy)
        return True

    def _act(self, move: Move) -> None:
        match move:
            case Stage(nodes):
                self._start(nodes, NodeStatus.STAGING)
            case Launch(nodes, number):
                begun = [] if number == self._announced_batch else [BatchBegun(number)]
                if self._start(nodes, NodeStatus.RUNNING, begun):
                    self._announced_batch = number
            case Soak(number):
                self._soak(number)
            case Check(nodes):
                self._start(nodes, NodeStatus.CHECKING)
            case Revert(nodes):
                self._start(nodes, NodeStatus.REVERTING)
            case Wait() | Halt() | Finish():
                pass

    def _soak(self, number: int) -> None:
        """Wait for the pause after a batch; end early if the user asked to stop."""
        self._write(())
        if self._policy.pause and not self._hooks.stopping():
            self._hooks.pausing(number)
        until = time.monotonic() + self._policy.pause
        while not self._hooks.stopping() and (remaining := until - time.monotonic()) > 0:
            self._clock.sleep(min(0.2, remaining))
        if not self._hooks.stopping():
            self._begin([BatchSoaked(number)])

    def _write(self, events: Sequence[Event]) -> bool:
        """Journal the outcomes since the last write, and `events`, in one write.

        Return False if the journal cannot be written, now or earlier.
        """
        entries, self._unwritten = [*self._unwritten, *((event, None) for event in events)], []
        try:
            if entries:
                self._hooks.record(entries)
        except JournalError as error:
            self._journal_error = str(error)
        return not self._journal_error

    def _begin(self, events: Sequence[Event]) -> bool:
        """Journal events and advance the state; return False if the journal cannot be written."""
        if not self._write(events):
            return False
        for event in events:
            self._scheduler.advance(event)
        return True

    def _end(self, name: str, outcome: NodeOutcome) -> None:
        """Advance the state by a node's outcome; it is journaled before other work begins."""
        event = NodeMoved(name, outcome.status)
        self._scheduler.advance(event)
        self._unwritten.append((event, outcome))

    def _start(
        self, nodes: Iterable[str], status: NodeStatus, events: Sequence[Event] = ()
    ) -> bool:
        names = tuple(nodes)
        if not self._begin([*events, *(NodeMoved(name, status) for name in names)]):
            return False
        for name in names:
            order = self._orders[name]
            seconds = order.staging if status is NodeStatus.STAGING else order.seconds
            task = Task(name, status, seconds, self._clock.now())
            self._submit(self._hooks.work.at(status), order, task)
        return True

    def _submit(self, work: Work, order: WorkOrder, task: Task, *, lost: bool = False) -> None:
        """Submit work on a node, with its gates if it is the activation.

        If the worker was `lost`, the work settles the node, and only the gate after it is asked.
        """
        if self._passes is None or task.status is not NodeStatus.RUNNING:
            self._tasks.submit(work, order, task)
            return
        task.seconds += self._passes.seconds
        submit = self._passes.settle if lost else self._passes.submit
        self._tasks.add(submit(work, order), task)

    def _collect(self) -> None:
        """Wait for tasks that end, and take their results."""
        self._write(())
        for ended in self._tasks.collect():
            self._stuck |= ended.stuck
            if ended.lost and ended.task.node not in self._orphaned and not self._journal_error:
                self._settle_orphan(ended.task)
            else:
                self._take(ended.task, ended.result)

    def _take(self, task: Task, result: NodeOutcome | Failure) -> None:
        if isinstance(result, NodeOutcome):
            self._end(task.node, self._clock.explain(result, task.began))
        elif task.status is not NodeStatus.STAGED:  # it stays locked: `fleet unlock` releases it
            self._end(task.node, failed_outcome(task, result))

    def _settle_orphan(self, task: Task) -> None:
        """Submit the work that settles a node whose worker died, instead of the same task again."""
        self._orphaned.add(task.node)
        order = replace(self._orders[task.node], tries_left=True)
        task_again = Task(task.node, task.status, order.seconds, task.began)
        work = self._hooks.work.after_death(task.status)
        self._submit(work, order, task_again, lost=True)

    def _release_staged(self) -> None:
        """Release the locks of nodes that were staged and will not be activated."""
        staged = self._scheduler.state.at(NodeStatus.STAGED)
        while staged or self._tasks:
            while staged and len(self._tasks) < self._policy.parallel:
                order = self._orders[staged.pop(0)]
                name, now = order.node.name, self._clock.now()
                task = Task(name, NodeStatus.STAGED, order.staging, now)
                self._tasks.submit(self._hooks.work.release, order, task)
            self._collect()
