"""Resume of a rollout whose fleet process ended: settle the nodes in flight, then do the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet.cli.flags import Flags, open_journal, operator, stamp
from fleet.cli.job import Job, guarded, work_order
from fleet.cli.options import Exit, RenderOptions, Settings, access, desired_config_of
from fleet.cli.output.outcome import outcome_line
from fleet.cli.output.plan import print_plans
from fleet.cli.output.tables import console
from fleet.cli.plane import access_to_plane
from fleet.cli.prompts import ready
from fleet.cli.reading import as_it_is, in_order, tests_of, with_progress
from fleet.cli.resume_check import refuse_changed_config, refuse_changed_files, refuse_superseded
from fleet.config.load import load_inventory
from fleet.core.failure import Failure
from fleet.core.history.replay import SETTLE, RolloutHistory
from fleet.core.history.serialize import outcome_data
from fleet.core.masking import Fingerprints
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan, PlannedPulls
from fleet.core.plan.pull_tests import PullTest
from fleet.core.report.data import planned_data
from fleet.core.rollout.control_plane import Availability
from fleet.core.rollout.state import RolloutState
from fleet.engine.locks import still_held
from fleet.engine.survey import Surveyed, already_done, survey, survey_rollback
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.errors import FleetError
from fleet.journal import Journal, RolloutRecord
from fleet.node.recheck import settle_left
from fleet.node.revert import SPENT
from fleet.node.stage import release_once
from fleet.node.work_order import Access, WorkOrder


def resume(
    settings: Settings, rollout_id: str | None, pool: WorkerPool, how: dict[str, Any]
) -> Exit:
    """Finish the rollout of that id, or the newest one that was broken off."""
    journal = open_journal(settings, how["journal"])
    record = journal.rollout(rollout_id) if rollout_id else _newest(journal)
    if "flags" not in record.about:
        raise FleetError(f"rollout {record.id} was begun by an older fleet; roll out anew")
    flags = Flags.read(record.about["flags"], **how, dry_run=False)
    with journal.held(f"resume {record.id} of {operator()} since {stamp()}"):
        story = journal.replayed(record)
        if not story.unfinished:
            raise FleetError(f"rollout {record.id} is finished; there is nothing to go on with")
        refuse_superseded(journal, record, story)
        refuse_changed_files(settings, record)
        return _Resumed((settings, flags, pool), journal, record, story).run()


def _newest(journal: Journal) -> RolloutRecord:
    """Return the newest rollout that was broken off, or has left a node in flight."""
    superseded = None
    for record in journal.rollouts():
        story = journal.replayed(record)
        if story.status == "interrupted" or story.unsettled():
            try:
                refuse_superseded(journal, record, story)
            except FleetError as error:
                superseded = superseded or error
            else:
                return record
    raise superseded or FleetError("no rollout was broken off; there is nothing to go on with")


@dataclass(frozen=True, slots=True)
class _Way:
    """The survey that plans the nodes of a rollout or rollback again, and their pull tests."""

    survey: Callable[[Sequence[Node], Access], Iterator[Surveyed]]
    tests: Callable[[Surveyed], tuple[PullTest, ...]]


def _way(
    ground: tuple[Settings, Flags, WorkerPool],
    inventory: Inventory,
    record: RolloutRecord,
    mark: Fingerprints,
) -> _Way:
    settings, flags, pool = ground
    if record.about["kind"] != "rollout":

        def back(nodes: Sequence[Node], how: Access) -> Iterator[Surveyed]:
            return survey_rollback(nodes, how, to=flags.to, pool=pool)

        return _Way(back, lambda _: ())
    taste = RenderOptions(full_default=flags.full_default, foreign=flags.foreign)
    config = settings.load().mirrors
    refuse_changed_config(record, config, mark)
    wishes = desired_config_of(inventory, config, taste)

    def forward(nodes: Sequence[Node], how: Access) -> Iterator[Surveyed]:
        return survey(nodes, wishes, how, pool=pool)

    def tests(found: Surveyed) -> tuple[PullTest, ...]:
        return tests_of(found, wishes(found.node))

    return _Way(forward, tests)


class _Resumed:
    """One resumed rollout: its state in the journal, and what its nodes report now."""

    def __init__(
        self,
        ground: tuple[Settings, Flags, WorkerPool],
        journal: Journal,
        record: RolloutRecord,
        story: RolloutHistory,
    ) -> None:
        settings, flags, pool = ground
        self._story = story
        inventory = load_inventory(settings.inventory)
        known = {node.name: node for node in inventory.nodes}
        self._nodes = {name: known[name] for name in record.about["nodes"]}
        mark = Fingerprints(journal.key())
        self._way = _way(ground, inventory, record, mark)
        how = access(settings, ask=flags.ask_become_pass, seconds=flags.connect_timeout)
        self._job = Job(
            id=record.id,
            kind=record.about["kind"],
            settings=settings,
            flags=flags,
            access=replace(
                ready(how, tuple(self._nodes.values())), reuse_connection=pool.keeps_connections
            ),
            inventory=inventory,
            pool=pool,
            journal=journal,
            mark=mark,
            plans={
                name: NodePlan(node=node, availability=Availability(story.roles.get(name, ())))
                for name, node in self._nodes.items()
            },
            outcomes={
                name: outcome
                for name, outcome in story.outcomes.items()
                if not story.state.nodes[name].not_begun
            },
        )

    def run(self) -> Exit:
        job, left = self._job, self._story.unsettled()
        if not job.flags.yes and not sys.stdin.isatty():
            raise FleetError("there is no terminal to ask on: give --yes to go on")
        job.tell("resumed", None, {"operator": operator()})
        if left:
            job.settings.say(f"settling what was left in flight: {', '.join(left)}")
            self._settle(left)
        again = [name for name in self._nodes if name not in job.outcomes]
        self._plan(again)
        waiting = [name for name in again if name not in job.outcomes]
        job.access = access_to_plane(job)
        job.confirm(len(waiting))
        return job.carry_out(self._state(left))

    def _found(self, names: Sequence[str]) -> list[Surveyed]:
        nodes = [self._nodes[name] for name in names]
        found = self._way.survey(nodes, self._job.access)
        ordered = in_order(with_progress(found, len(nodes), self._job.settings), list(names))
        return [self._with_role(each) for each in ordered]

    def _with_role(self, found: Surveyed) -> Surveyed:
        """Return a survey; an unreachable node keeps the role that the journal has for it."""
        evidence = self._story.roles.get(found.node.name)
        if found.facts is not None or not evidence:
            return found
        known = replace(found.plan.availability, control_plane=evidence)
        return replace(found, plan=replace(found.plan, availability=known))

    def _settle(self, names: Sequence[str]) -> None:
        """Ask the nodes that were left in flight for the state of their change, and settle it."""
        orders = []
        for found in self._found(names):
            role = Availability(found.plan.availability.control_plane)
            there, tests = as_it_is(found, self._way.tests)
            unproven = self._story.unproven.get(found.node.name, ())
            plan = replace(
                there, pulls=PlannedPulls(tests=tests, unproven=unproven), availability=role
            )
            self._job.plans[found.node.name] = plan
            if found.facts is None and self._only_held(found.node.name):
                continue  # unreachable as before, with nothing on it that a guard would revert
            orders.append(replace(work_order(self._job, plan), tries_left=True))
        for order, ended in self._each_settled(orders):
            name = order.plan.node.name
            outcome = ended if isinstance(ended, NodeOutcome) else _unknown(name, ended)
            if self._story.state.nodes[name] is NodeStatus.REVERTING:
                outcome = _reverted(outcome)
            self._job.outcomes.pop(name, None)
            if outcome.status is not NodeStatus.PENDING:
                self._job.outcomes[name] = outcome
            self._job.tell("moved", name, outcome_data(outcome))
            self._job.settings.say(f"settled: {outcome_line(outcome)}")

    def _only_held(self, name: str) -> bool:
        """Return whether a node holds only the lock of this rollout, and no change."""
        outcome = self._story.outcomes.get(name)
        failure = outcome.failure if outcome else None
        if outcome is None or outcome.status is NodeStatus.DEGRADED:
            return False  # a degraded node may have an unfinished revert on it
        return outcome.held and (not failure or failure.step != SETTLE)

    def _each_settled(
        self, orders: Sequence[WorkOrder]
    ) -> Iterator[tuple[WorkOrder, NodeOutcome | Failure]]:
        """Settle nodes together, but control plane nodes one by one: settling may restart them."""
        plane = [order for order in orders if order.plan.availability.control_plane]
        others = [order for order in orders if not order.plan.availability.control_plane]
        yield from map_nodes(settle_left, others, self._job.pool)
        yield from map_nodes(settle_left, plane, self._job.pool, most=1)

    def _plan(self, names: Sequence[str]) -> None:
        """Plan the nodes again that were not started, or were reverted."""
        plans = [guarded(found.plan, self._job.flags) for found in self._found(names)]
        self._job.plans.update({plan.node.name: plan for plan in plans})
        self._job.tell("planned", None, planned_data(plans, self._job.mark))
        ends = {each.node: each for plan in plans if (each := already_done(plan)) is not None}
        ends |= {end.node: end for end in self._locked(ends, plans)}
        self._job.outcomes.update(ends)
        self._job.tell_all([("moved", name, outcome_data(end)) for name, end in ends.items()])
        if plans and not self._job.settings.as_json and not self._job.settings.quiet:
            print_plans(plans, console(color=self._job.settings.color), self._job.mark)

    def _locked(
        self, ends: Mapping[str, NodeOutcome], plans: Iterable[NodePlan]
    ) -> Iterator[NodeOutcome]:
        """Release nodes that are in no batch; yield the outcomes of those that stay locked.

        An unreachable node counts as locked if the dead run had begun to stage it.
        """
        staged, job = {NodeStatus.STAGING, NodeStatus.STAGED}, self._job
        orders = []
        for plan in plans:
            end, before = ends.get(plan.node.name), self._story.outcomes.get(plan.node.name)
            if end is None:
                continue
            if plan.availability.holder == job.id:
                orders.append(work_order(job, plan))
            elif end.status is NodeStatus.UNREACHABLE and (
                self._story.state.nodes[end.node] in staged or (before and before.held)
            ):
                yield replace(end, held=True)
        for order, ended in map_nodes(release_once, orders, job.pool):
            if still_held(ended):
                yield replace(ends[order.node.name], held=True)

    def _state(self, left: Sequence[str]) -> RolloutState:
        """Return the journal's state, updated by what the nodes have reported since."""
        before = self._story.state
        return replace(
            before,
            nodes={
                name: self._job.outcomes[name].status
                if name in self._job.outcomes
                else NodeStatus.PENDING
                for name in before.nodes
            },
            checked=before.checked - set(left),
            reverted=before.reverted - set(left),
        )


def _unknown(name: str, failure: Failure) -> NodeOutcome:
    """Return the outcome of a node for which settling ended in a bug of fleet."""
    unsettled = Failure(failure.kind, SETTLE, failure.message, failure.evidence)
    return NodeOutcome(node=name, status=NodeStatus.UNREACHABLE, failure=unsettled)


def _reverted(outcome: NodeOutcome) -> NodeOutcome:
    """End a node whose change was reverted on request: it is not started again."""
    if outcome.status is not NodeStatus.PENDING:
        return outcome
    return replace(outcome, status=NodeStatus.ROLLED_BACK, failure=SPENT)
