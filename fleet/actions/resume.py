"""The resume of an interrupted rollout: first its nodes in flight, then the other nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from fleet.actions.drains import (
    clusters_to_drain,
    refuse_unknown,
    resumed_options,
    uncordon_left,
)
from fleet.actions.job import Job, RolloutResult
from fleet.actions.job_clusters import trace_settled
from fleet.actions.journaling import JournalFiles, RolloutJournal, operator, timestamp
from fleet.actions.options import RolloutOptions
from fleet.actions.refusals import refuse_plan
from fleet.actions.remove import saved_request
from fleet.actions.resumable import newest_resumable
from fleet.actions.resume_checks import (
    refuse_changed_config,
    refuse_changed_files,
    refuse_superseded,
)
from fleet.actions.session import Session
from fleet.actions.survey import desired_config, survey, survey_saved
from fleet.actions.verify import plan_as_is, tests_of
from fleet.config.load import Loaded, load_inventory
from fleet.core.failure import Failure, Step
from fleet.core.history.replay import EntryKind, RolloutHistory
from fleet.core.history.serialize import outcome_data
from fleet.core.model.inventory import Inventory
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan, PlannedPulls
from fleet.core.plan.pull_tests import PullTest
from fleet.core.report.data import planned_data
from fleet.core.rollout.control_plane import Availability
from fleet.core.rollout.state import RolloutState
from fleet.engine.locks import still_held
from fleet.engine.survey import NodeSurvey, already_done
from fleet.engine.workers.base import map_nodes
from fleet.errors import FleetError, NothingToDoError
from fleet.journal import RolloutRecord
from fleet.node.recheck import settle_left
from fleet.node.revert import SPENT
from fleet.node.stage import release_once
from fleet.node.work_order import WorkOrder


def resume(
    files: JournalFiles,
    rollout_id: str | None,
    session: Session,
    load: Callable[[], Loaded],
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> RolloutResult:
    """Finish the rollout that `rollout_id` names, or the newest one that was interrupted.

    `load` reads both files; it is not called for a rollback, which needs no mirrors.yaml.
    `changes` are the options of cordons and drains that differ from those of the rollout. Raise a
    FleetError if the rollout cannot be resumed, a NothingToDoError if it need not be.
    """
    journal = files.open(session.ui)
    record = journal.rollout(rollout_id) if rollout_id else newest_resumable(journal)
    if "flags" not in record.about:
        raise FleetError(
            f"rollout {record.id} was begun by an older release of fleet; start a new rollout"
        )
    with journal.held(f"resume {record.id} of {operator()} since {timestamp()}"):
        history = journal.replayed(record)
        if history.ended:
            history = history.accepting(history.state.flagged)
        if not history.unfinished:
            raise NothingToDoError(f"nothing to resume: rollout {record.id} has finished")
        refuse_superseded(journal, record, history)
        entries = RolloutJournal(record.id, journal, files)
        options = resumed_options(RolloutOptions.read(record.about["flags"]), changes)
        loaded = load() if record.about["kind"] == "rollout" else None
        inventory = loaded.inventory if loaded is not None else load_inventory(files.inventory)
        refuse_changed_files(files, record, inventory)
        if loaded is not None:
            refuse_changed_config(files, record, loaded.mirrors, entries.mark)
        job = _job(record, history, session, entries, inventory)
        job.options, job.clusters = options, clusters_to_drain(options, job.nodes)
        return _Resumed(job, history, loaded, files).run()


def _job(
    record: RolloutRecord,
    history: RolloutHistory,
    session: Session,
    entries: RolloutJournal,
    inventory: Inventory,
) -> Job:
    """Rebuild the job from the journal."""
    known = {node.name: node for node in inventory.nodes}
    nodes = {name: known[name] for name in record.about["nodes"]}
    outcomes = history.outcomes.items()
    return Job(
        id=record.id,
        kind=record.about["kind"],
        options=RolloutOptions.read(record.about["flags"]),
        session=session.ready(tuple(nodes.values())).reusing_connections(),
        inventory=inventory,
        journal=entries,
        plans={
            name: NodePlan(node=node, availability=Availability(history.roles.get(name, ())))
            for name, node in nodes.items()
        },
        outcomes={
            name: outcome for name, outcome in outcomes if not history.state.nodes[name].not_begun
        },
    )


class _Resumed:
    """One resumed rollout: its state in the journal, and what its nodes report now."""

    def __init__(
        self, job: Job, history: RolloutHistory, loaded: Loaded | None, files: JournalFiles
    ) -> None:
        self._job, self._history, self._loaded = job, history, loaded
        self._files = files
        job.config = loaded.mirrors if loaded is not None else None
        self._nodes = {name: plan.node for name, plan in job.plans.items()}

    def run(self) -> RolloutResult:
        job, left = self._job, self._history.unsettled()
        job.session.ui.require_answer("continue")
        job.journal.append(EntryKind.RESUMED, None, {"operator": operator()})
        if left:
            job.session.ui.message(f"settling what was left in flight: {', '.join(left)}")
            self._settle(left)
            trace_settled(job, left)
        uncordon_left(job.nodes, job.id, job.options, job.session.ui.message)
        again = [name for name in self._nodes if name not in job.outcomes]
        self._plan(again)
        waiting = [name for name in again if name not in job.outcomes]
        job.unlock_plane()
        if waiting:
            job.session.ui.confirm(len(waiting))
        return job.carry_out(self._state(left))

    def _survey(self, names: Sequence[str]) -> list[NodeSurvey]:
        """Probe and plan nodes again, with the options of the rollout or rollback."""
        nodes, job = [self._nodes[name] for name in names], self._job
        if self._loaded is None:
            request = saved_request(job.kind, job.options, self._files)
            surveys = survey_saved(nodes, job.session, request)
        else:
            surveys = survey(self._loaded, nodes, job.session, job.options.render)
        return [self._with_role(result) for result in surveys]

    def _tests(self, result: NodeSurvey) -> tuple[PullTest, ...]:
        if self._loaded is None:
            return ()
        desired = desired_config(
            self._loaded.inventory, self._loaded.mirrors, self._job.options.render
        )
        return tests_of(result, desired(result.node))

    def _with_role(self, result: NodeSurvey) -> NodeSurvey:
        """Return the survey, with the role from the journal if the node could not be read."""
        evidence = self._history.roles.get(result.node.name)
        if result.facts is not None or not evidence:
            return result
        known = replace(result.plan.availability, control_plane=evidence)
        return replace(result, plan=replace(result.plan, availability=known))

    def _settle(self, names: Sequence[str]) -> None:
        """Read the state of the change on each node that was left in flight, and settle it."""
        orders = []
        for result in self._survey(names):
            name = result.node.name
            role = Availability(result.plan.availability.control_plane)
            as_is, tests = plan_as_is(result, self._tests)
            unproven = self._history.unproven.get(name, ())
            plan = replace(
                as_is, pulls=PlannedPulls(tests=tests, unproven=unproven), availability=role
            )
            self._job.plans[name] = plan
            if result.facts is None and self._is_only_locked(name):
                continue  # unreachable as before, with nothing on it that a guard would revert
            orders.append(replace(self._job.order(plan), tries_left=True))
        for order, ended in self._settled(orders):
            name = order.plan.node.name
            outcome = ended if isinstance(ended, NodeOutcome) else _unknown(name, ended)
            if self._history.state.nodes[name] is NodeStatus.REVERTING:
                outcome = _reverted(outcome)
            self._job.outcomes.pop(name, None)
            if outcome.status is not NodeStatus.PENDING:
                self._job.outcomes[name] = outcome
            self._job.journal.append(EntryKind.MOVED, name, outcome_data(outcome))
            self._job.session.ui.settled(outcome)

    def _is_only_locked(self, name: str) -> bool:
        """Return whether a node holds only the lock of this rollout, and no change."""
        outcome = self._history.outcomes.get(name)
        failure = outcome.failure if outcome else None
        if outcome is None or outcome.status is NodeStatus.DEGRADED:
            return False  # a degraded node may have an unfinished revert on it
        return outcome.held and (not failure or failure.step is not Step.SETTLE)

    def _settled(
        self, orders: Sequence[WorkOrder]
    ) -> Iterator[tuple[WorkOrder, NodeOutcome | Failure]]:
        """Settle nodes in parallel, but control plane nodes one by one.

        The reason is that settling a node may restart its containerd.
        """
        plane = [order for order in orders if order.plan.availability.control_plane]
        others = [order for order in orders if not order.plan.availability.control_plane]
        yield from map_nodes(settle_left, others, self._job.session.pool)
        yield from map_nodes(settle_left, plane, self._job.session.pool, most=1)

    def _plan(self, names: Sequence[str]) -> None:
        """Plan again the nodes that were not started or were reverted."""
        job = self._job
        surveys = self._survey(names)
        plans = [refuse_plan(result.plan, job.options, job.id) for result in surveys]
        plans = refuse_unknown(plans, job.clusters, job.session.ui.message)
        job.plans.update({plan.node.name: plan for plan in plans})
        job.journal.append(EntryKind.PLANNED, None, planned_data(plans, job.journal.mark))
        ends = {end.node: end for plan in plans if (end := already_done(plan)) is not None}
        ends |= {end.node: end for end in self._still_locked(ends, plans)}
        job.outcomes.update(ends)
        job.journal.append_all(
            [(EntryKind.MOVED, name, outcome_data(end)) for name, end in ends.items()]
        )
        if plans:
            job.session.ui.plans(plans, job.journal.mark)

    def _still_locked(
        self, ends: Mapping[str, NodeOutcome], plans: Iterable[NodePlan]
    ) -> Iterator[NodeOutcome]:
        """Release the locks of nodes in no batch; yield the outcomes of nodes that stay locked.

        A node that does not let fleet in counts as locked if the interrupted run had begun to
        stage it.
        """
        staged, job = {NodeStatus.STAGING, NodeStatus.STAGED}, self._job
        orders = []
        for plan in plans:
            end, before = ends.get(plan.node.name), self._history.outcomes.get(plan.node.name)
            if end is None:
                continue
            if plan.availability.holder == job.id:
                orders.append(job.order(plan))
            elif end.status in {NodeStatus.UNREACHABLE, NodeStatus.NO_ACCESS} and (
                self._history.state.nodes[end.node] in staged or (before and before.held)
            ):
                yield replace(end, held=True)
        for order, ended in map_nodes(release_once, orders, job.session.pool):
            if still_held(ended):
                yield replace(ends[order.node.name], held=True)

    def _state(self, left: Sequence[str]) -> RolloutState:
        """Return the journal's state, updated by what the nodes have reported since."""
        before, outcomes = self._history.state, self._job.outcomes
        return replace(
            before,
            nodes={
                name: outcomes[name].status if name in outcomes else NodeStatus.PENDING
                for name in before.nodes
            },
            checked=before.checked - set(left),
            reverted=before.reverted - set(left),
        )


def _unknown(name: str, failure: Failure) -> NodeOutcome:
    """Return the outcome of a node that could not be settled: fleet or its worker failed."""
    unsettled = replace(failure, step=Step.SETTLE)
    return NodeOutcome(node=name, status=NodeStatus.UNREACHABLE, failure=unsettled)


def _reverted(outcome: NodeOutcome) -> NodeOutcome:
    """Return the outcome of a node after a requested revert: the node is not started again."""
    if outcome.status is not NodeStatus.PENDING:
        return outcome
    return replace(outcome, status=NodeStatus.ROLLED_BACK, failure=SPENT)
