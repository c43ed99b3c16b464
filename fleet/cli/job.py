"""The job of a rollout or rollback, from its plans to its recap."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from fleet.cli.flags import Flags, operator, stamp
from fleet.cli.interrupt import stop_switch
from fleet.cli.log_file import KNOWN, note
from fleet.cli.options import Exit, Settings
from fleet.cli.output.live import Scope, Screen, open_screen
from fleet.cli.output.outcome import exit_code, print_recap, recap
from fleet.cli.output.tables import console, print_json
from fleet.cli.plane import plane_check
from fleet.cli.streams import lost_streams
from fleet.core.failure import FailureKind
from fleet.core.history.replay import SETTLE
from fleet.core.history.serialize import outcome_data, rollout_data
from fleet.core.masking import Fingerprints, clean_data
from fleet.core.masking.known import clean_outcome
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.render.fingerprints import desired_fingerprints
from fleet.core.report.data import planned_data
from fleet.core.rollout.batches import cut_batches, group_limits, parse_batches, parse_size
from fleet.core.rollout.control_plane import ControlPlaneLimit, control_plane_limit
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.state import BatchBegun, BatchSoaked, Event, NodeMoved, RolloutState
from fleet.engine.driver import DriverHooks, JournaledEvent, RolloutResult, drive
from fleet.engine.locks import release_held
from fleet.engine.workers.base import WorkerPool
from fleet.errors import FleetError, JournalError
from fleet.journal import Journal
from fleet.node.work_order import Access, WorkOrder


@dataclass(slots=True, kw_only=True)
class Job:
    """One rollout or rollback: its flags, its plans, and the outcomes of its nodes.

    `outcomes` holds the nodes that are done, including those that are in no batch.
    """

    id: str
    kind: str
    settings: Settings
    flags: Flags
    access: Access
    inventory: Inventory
    pool: WorkerPool
    journal: Journal
    mark: Fingerprints
    plans: dict[str, NodePlan]
    outcomes: dict[str, NodeOutcome] = field(default_factory=dict)
    config: MirrorConfig | None = None
    """The mirrors and settings that a rollout applies to the nodes; None for a rollback."""

    def batches(self) -> tuple[tuple[str, ...], ...]:
        """Cut the nodes that have work to do into batches: by `order`, then by the inventory."""
        plans = [plan for name, plan in self.plans.items() if name not in self.outcomes]
        names = [plan.node.name for plan in sorted(plans, key=lambda plan: plan.node.order)]
        plane = self.quorum()
        return cut_batches(names, parse_batches(self.flags.batch), plane.nodes, plane.most)

    def quorum(self) -> ControlPlaneLimit:
        """Return the limit for control plane nodes, from what the survey found about them."""
        roles = {name: plan.availability for name, plan in self.plans.items()}
        return control_plane_limit(self.inventory, roles, self.id)

    def confirm(self, count: int) -> None:
        """Ask whether to change the nodes, unless --yes was given.

        Raises a FleetError without a terminal, as the question could not be answered.
        """
        if self.flags.yes or not count:
            return
        if not sys.stdin.isatty():
            raise FleetError("there is no terminal to ask on: give --yes to change the nodes")
        click.confirm(f"Change {count} nodes?", abort=True, err=True)

    def begin(self, batches: tuple[tuple[str, ...], ...]) -> None:
        """Journal the rollout and its plans, before any of its work begins."""
        files = (self.settings.inventory, self.settings.mirrors)
        about: dict[str, Any] = {
            "kind": self.kind,
            "operator": operator(),
            "files": {str(path): digest_of(path) for path in files},
            "batches": [list(batch) for batch in batches],
            "nodes": list(self.plans),
            "flags": self.flags.data(),
        }
        if self.config is not None:
            about["desired"] = desired_fingerprints(self.config, self.mark)
        self.journal.begin(self.id, stamp(), about)
        self.tell("planned", None, planned_data(self.plans.values(), self.mark))
        settled = self.outcomes.items()
        self.tell_all([("settled", name, outcome_data(outcome)) for name, outcome in settled])

    def tell(self, kind: str, node: str | None, payload: dict[str, Any]) -> None:
        """Write one entry of this rollout to the journal."""
        self.tell_all([(kind, node, payload)])

    def tell_all(self, entries: Sequence[tuple[str, str | None, dict[str, Any]]]) -> None:
        """Write entries of this rollout to the journal, as one write."""
        cleaned = [(kind, node, clean_data(payload)) for kind, node, payload in entries]
        self.journal.append_all(self.id, stamp(), cleaned)

    def carry_out(self, state: RolloutState) -> Exit:
        """Drive the rollout from `state` to its end; print the recap."""

        def close(status: str, reason: str) -> None:
            self.tell("ended", None, {"status": status, "reason": reason})

        leave = functools.partial(close, "interrupted", "stopped in mid-batch")
        with (
            open_screen(self.settings, self._scope(state)) as screen,
            stop_switch(leave, self.id) as stopping,
        ):
            result = self._drive(state, screen, stopping)
        try:
            for outcome in release_held(self.outcomes, self._order, self.pool):
                self.outcomes[outcome.node] = outcome
                self.tell("moved", outcome.node, outcome_data(outcome))
            if lost_output := lost_streams():
                note(f"output dropped: {lost_output}")
                self.tell("output dropped", None, lost_output)
            close(result.status, result.reason)
        except JournalError as error:
            self.settings.say(str(error))
        return self.close(result, seen=screen.seen)

    def _drive(
        self, state: RolloutState, screen: Screen, stopping: Callable[[], bool]
    ) -> RolloutResult:
        policy = self._policy()

        def record(events: Sequence[JournaledEvent]) -> None:
            noted = [
                (event, outcome and self._record_outcome(outcome)) for event, outcome in events
            ]
            for _, outcome in noted:
                if outcome is not None:
                    screen.ended(outcome)
            self.tell_all([_entry(event, outcome) for event, outcome in noted])
            for event, outcome in noted:
                match event:
                    case NodeMoved(node, status) if outcome is None:
                        screen.started(node, status)
                    case BatchBegun(number):
                        screen.batch(number + 1, len(state.batches), state.batches[number])
                    case NodeMoved() | BatchSoaked():
                        pass

        orders = {name: self._order(name) for name in self.plans}
        hooks = DriverHooks(record, stopping, self.pool, plane_check(self, screen))
        return drive(state, policy, orders, hooks)

    def _record_outcome(self, outcome: NodeOutcome) -> NodeOutcome:
        """Record a node's outcome, merged with its earlier one; return the merged outcome."""
        outcome = clean_outcome(outcome, KNOWN)
        merged = outcome.after(self.outcomes.get(outcome.node))
        self.outcomes[outcome.node] = merged
        return merged

    def _scope(self, state: RolloutState) -> Scope:
        policy = self._policy()
        failed = {name for name, outcome in self.outcomes.items() if outcome.status.failed}
        total = sum(map(len, state.batches))
        return Scope(total, policy.max_failures, len(failed - policy.excused_nodes))

    def _policy(self) -> Policy:
        size = parse_size(self.flags.max_failures, "--max-failures")
        total = len(self.plans)
        unreachable = {
            name
            for name, outcome in self.outcomes.items()
            if self.flags.skip_unreachable
            and outcome.status is NodeStatus.UNREACHABLE
            and not (outcome.failure and outcome.failure.step == SETTLE)
        }
        return Policy(
            max_failures=total * size.number // 100 if size.percent else size.number,
            limits=group_limits(self.inventory),
            excused_nodes=frozenset(unreachable | self._excused()),
            on_failure=OnFailure(self.flags.on_failure),
            pause=self.flags.pause,
            parallel=min(self.pool.most_changes, total) or 1,
            quorum=self.quorum(),
        )

    def _excused(self) -> set[str]:
        """Return the nodes of a rollback whose failure does not count against the budget.

        They were unhealthy before it, or have nothing to roll back: that says nothing about the
        other nodes.
        """
        if self.kind != "rollback":
            return set()
        unhealthy = {name for name, plan in self.plans.items() if plan.daemon.unhealthy}
        failures = {
            name: outcome.failure for name, outcome in self.outcomes.items() if outcome.failure
        }
        none = FailureKind.NO_GENERATION
        return unhealthy | {
            name
            for name, failure in failures.items()
            if failure.kind is none and failure.step == "plan"
        }

    def _order(self, name: str) -> WorkOrder:
        return work_order(self, self.plans[name])

    def close(self, ended: RolloutResult, *, told: bool = True, seen: Collection[str] = ()) -> Exit:
        """Print the recap and return the exit code.

        Its id is printed only if the journal holds this rollout. Nodes whose end was `seen` on
        this terminal are summed up.
        """
        ordered = [self.outcomes.get(name) or self._pending(name) for name in self.plans]
        rollout_id = self.id if told else ""
        if self.settings.as_json:
            nodes = {outcome.node: outcome_data(outcome) for outcome in ordered}
            batches = ended.state.batches
            print_json(rollout_data(rollout_id, ended.status, nodes, batches))
        else:
            line = recap(ended.state.count(), f"{self.kind} {ended.status}", ended.reason)
            out = console(color=self.settings.color)
            print_recap(ordered, f"{line}  {rollout_id}".rstrip(), rollout_id, out, seen)
        code = exit_code(ended.status, ordered)
        if ended.stuck:  # a normal exit would wait for the thread that never comes back
            sys.stdout.flush()
            os._exit(code)
        return code

    def _pending(self, name: str) -> NodeOutcome:
        plan = self.plans[name]
        return NodeOutcome(
            node=name,
            status=NodeStatus.PENDING,
            strategy=plan.strategy,
            containerd=plan.containerd,
        )


def _entry(event: Event, outcome: NodeOutcome | None) -> tuple[str, str | None, dict[str, Any]]:
    """Return an event as a journal entry."""
    match event:
        case NodeMoved(node, status):
            data = outcome_data(outcome) if outcome else {}
            return "moved", node, {**data, "status": str(status)}
        case BatchBegun(number):
            return "batch", None, {"number": number + 1}
        case BatchSoaked(number):
            return "soaked", None, {"number": number + 1}


def guarded(plan: NodePlan, flags: Flags) -> NodePlan:
    """Return the plan, as failed if it would end running containers without consent.

    --disrupt-workloads is that consent.
    """
    if plan.restart.risk is None or plan.failure is not None or flags.disrupt_workloads:
        return plan
    return replace(plan, failure=plan.restart.risk)


def work_order(job: Job, plan: NodePlan) -> WorkOrder:
    """Return the work order of one node of a job."""
    return WorkOrder(
        plan=plan,
        rollout=job.id,
        operator=operator(),
        access=job.access,
        purpose=job.kind,
        verify=not job.flags.no_verify,
        liveness=not job.flags.no_liveness,
        disrupt=job.flags.disrupt_workloads,
        deadlines=job.flags.deadlines,
    )


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file in hex; None if the file does not exist."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
