"""The job of a rollout or rollback: its plans, its outcomes, and the run to its result."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fleet.actions.cluster_watch import ClusterWatch
from fleet.actions.control_plane import plane_check, quorum_check
from fleet.actions.drains import Clusters
from fleet.actions.excused import excused_from_undo, unreachable_nodes
from fleet.actions.job_clusters import drains_of, gates_of, tracing, watch_clusters
from fleet.actions.journaling import RolloutJournal, operator
from fleet.actions.options import RolloutOptions
from fleet.actions.recorder import Recorder
from fleet.actions.session import Session
from fleet.actions.user_interface import CarefulProgress, Scope
from fleet.core.history.replay import EntryKind
from fleet.core.history.serialize import outcome_data
from fleet.core.kubernetes.gates import NotReady
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.render.fingerprints import desired_fingerprints, node_fingerprints
from fleet.core.report.data import planned_data
from fleet.core.rollout.batches import allowed_failures, cut_batches, group_limits, parse_batches
from fleet.core.rollout.control_plane import ControlPlaneLimit, control_plane_limit, outsiders
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.state import GateDecided, RolloutState, RolloutStatus
from fleet.core.rollout.time_left import WorkTimes
from fleet.engine.drains import NodeDrains
from fleet.engine.driver import drive
from fleet.engine.hooks import DriverHooks, RolloutEnd
from fleet.engine.locks import release_held
from fleet.engine.time_left import TimeLeft
from fleet.errors import JournalError
from fleet.node.work_order import Deadlines, WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutResult:
    """The end of a rollout or rollback: finished, halted or interrupted, and every node's outcome.

    `rollout` is its id, which locks on nodes also have; it is empty if there was nothing to do, as
    nothing is journaled then. `stuck` is true if a worker thread did not return: that thread would
    block a normal exit of the process.
    """

    rollout: str
    kind: str
    status: RolloutStatus
    outcomes: Mapping[str, NodeOutcome]
    batches: tuple[tuple[str, ...], ...] = ()
    reason: str = ""
    counts: Mapping[NodeStatus, int] = field(default_factory=dict)
    stuck: bool = False
    gates: tuple[GateDecided, ...] = ()
    """The decisions of the cluster's gates about batches."""


@dataclass(slots=True, kw_only=True)
class Job:
    """One rollout or rollback: its options, its plans, and the outcomes of its nodes.

    `outcomes` holds the nodes that are done, including those that are in no batch.
    """

    id: str
    kind: str
    options: RolloutOptions
    session: Session
    inventory: Inventory
    journal: RolloutJournal
    plans: dict[str, NodePlan]
    outcomes: dict[str, NodeOutcome] = field(default_factory=dict)
    config: MirrorConfig | None = None
    """The mirrors and settings that a rollout applies to the nodes; None for a rollback."""
    deadlines: Deadlines | None = None
    """The deadlines of the work on each node; None for those of the options."""
    clusters: Clusters = ()
    """The clusters whose nodes are cordoned or drained."""
    not_ready: frozenset[str] = frozenset()
    """The nodes that were not Ready in their cluster when the job was planned."""
    gates: list[GateDecided] = field(default_factory=list)
    watch: ClusterWatch | None = None
    """The clusters of the inventory's nodes; None without one."""

    def __post_init__(self) -> None:
        """Clean the user's message, which may hold line breaks or a secret."""
        self.options = self.options.cleaned(self.session.secrets(self.config))
        self.watch = watch_clusters(self.inventory.nodes, self.options)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes of the job."""
        return tuple(plan.node for plan in self.plans.values())

    def batches(self) -> tuple[tuple[str, ...], ...]:
        """Cut the nodes that need work into batches, sorted by `order`, then by the inventory."""
        plans = [plan for name, plan in self.plans.items() if name not in self.outcomes]
        names = [plan.node.name for plan in sorted(plans, key=lambda plan: plan.node.order)]
        plane, sizes = self.control_plane_limit(), parse_batches(self.options.batch)
        first = self.not_ready if self.options.not_ready == NotReady.FIRST else frozenset()
        parts = (
            [name for name in names if name in first],
            [name for name in names if name not in first],
        )
        return tuple(
            batch for part in parts for batch in cut_batches(part, sizes, plane.nodes, plane.most)
        )

    def control_plane_limit(self) -> ControlPlaneLimit:
        """Return the limit for control plane nodes, from the roles and health in the survey."""
        roles = {name: plan.availability for name, plan in self.plans.items()}
        return control_plane_limit(self.inventory, roles, self.id)

    def unlock_plane(self) -> None:
        """Ask for the key passphrases of control plane nodes outside the job.

        The health of these nodes is checked before a control plane node of the job is changed.
        """
        remaining = (plan for name, plan in self.plans.items() if name not in self.outcomes)
        if any(plan.availability.control_plane for plan in remaining):
            access = self.session.access
            outside = outsiders(self.inventory, self.plans, self.journal.roles())
            access = replace(access, ssh=self.session.ui.unlock_keys(access.ssh, outside))
            self.session = replace(self.session, access=access)

    def begin(self, batches: tuple[tuple[str, ...], ...]) -> None:
        """Journal the rollout and its plans, before any of its work begins."""
        desired = self.config and {"desired": desired_fingerprints(self.config, self.journal.mark)}
        self.journal.begin(
            {
                "kind": self.kind,
                "batches": [list(batch) for batch in batches],
                "nodes": list(self.plans),
                "flags": self.options.data(),
                "node_settings": node_fingerprints(self.inventory, self.plans),
                **(desired or {}),
            }
        )
        self.journal.append(
            EntryKind.PLANNED, None, planned_data(self.plans.values(), self.journal.mark)
        )
        done = self.outcomes.items()
        self.journal.append_all(
            [(EntryKind.SETTLED, name, outcome_data(end)) for name, end in done]
        )

    def carry_out(self, state: RolloutState, policy: Policy | None = None) -> RolloutResult:
        """Drive the rollout from `state` to its end, and journal the end.

        An error of the view stops the rollout before the next batch, and is raised at the end. An
        error of the journal at the end is shown, not raised.
        """
        policy = policy or self.policy()
        interrupted = RolloutStatus.INTERRUPTED
        abandon = functools.partial(self._journal_end, interrupted, "stopped in mid-batch")
        time_left = TimeLeft(state, policy, self._work_times())
        scope = self._scope(state, policy, time_left)
        with self.session.ui.progress(self.id, scope, abandon) as view:
            progress = CarefulProgress(view)
            recorder = Recorder(
                batches=state.batches,
                outcomes=self.outcomes,
                secrets=self.session.secrets(self.config),
                journal=self.journal,
                progress=progress,
                time_left=time_left,
                gates=self.gates,
            )
            drains = drains_of(self, progress)
            with tracing(self, progress.line) as recorder.traces:
                result = self._drive(state, policy, recorder, drains)
        try:
            for outcome in self._last_tries(drains):
                self.outcomes[outcome.node] = outcome
                self.journal.append(EntryKind.MOVED, outcome.node, outcome_data(outcome))
            if lost_output := self.session.ui.lost_output():
                self.journal.append(EntryKind.OUTPUT_DROPPED, None, dict(lost_output))
            self._journal_end(result.status, result.reason)
        except JournalError as error:
            self.session.ui.message(str(error))
        if progress.errors:
            raise progress.errors[0]
        return self.result(result)

    def _journal_end(self, status: RolloutStatus, reason: str) -> None:
        self.journal.append(EntryKind.ENDED, None, {"status": str(status), "reason": reason})

    def _last_tries(self, drains: NodeDrains | None) -> Iterator[NodeOutcome]:
        """Try again to unlock and to uncordon nodes; yield the outcomes that this changes."""
        yield from release_held(self.outcomes, self._order, self.session.pool)
        if drains is not None:
            yield from drains.finish(list(self.outcomes.values()), self.session.ui.message)

    def _drive(
        self, state: RolloutState, policy: Policy, recorder: Recorder, drains: NodeDrains | None
    ) -> RolloutEnd:
        orders = {name: self._order(name) for name in self.plans}
        progress = recorder.progress
        hooks = DriverHooks(
            record=recorder.record,
            pool=self.session.pool,
            stopping=progress.stopping,
            check_plane=plane_check(self, progress) if self.inventory.nodes else None,
            check_quorum=quorum_check(self.session, self.inventory, self.journal, progress),
            pausing=recorder.pausing,
            gates=gates_of(self, state, progress, drains),
        )
        return drive(state, policy, orders, hooks)

    def _work_times(self) -> WorkTimes:
        restarting = (name for name in self.plans if self._order(name).restarts)
        soak = (self.deadlines or self.options.deadlines).soak
        gate = max(0.0, self.options.ready_lag - soak) if self.watch is not None else None
        return WorkTimes(restarting, soak, gate)

    def _scope(self, state: RolloutState, policy: Policy, time_left: TimeLeft) -> Scope:
        failed = {name for name, outcome in self.outcomes.items() if outcome.status.failed}
        deadlines = self.deadlines or self.options.deadlines
        return Scope(
            total=sum(map(len, state.batches)),
            allowed=policy.max_failures,
            failed=len(failed - policy.excused_nodes),
            done=sum(name in self.outcomes for batch in state.batches for name in batch),
            pause=policy.pause,
            soak=deadlines.soak,
            guard=deadlines.guard,
            time_left=time_left.seconds,
        )

    def policy(self) -> Policy:
        """Return the limits of the rollout, from its options and its nodes."""
        total = len(self.plans)
        return Policy(
            max_failures=allowed_failures(self.options.max_failures, total),
            limits=group_limits(self.inventory),
            excused_nodes=self._excused(),
            on_failure=OnFailure(self.options.on_failure),
            pause=self.options.pause,
            parallel=min(self.session.pool.most_changes, total) or 1,
            control_plane=self.control_plane_limit(),
        )

    def _excused(self) -> frozenset[str]:
        """Return the nodes whose failure does not count against the budget."""
        lost = unreachable_nodes(self.outcomes) if self.options.skip_unreachable else set()
        undone = excused_from_undo(self.plans, self.outcomes) if self.kind != "rollout" else set()
        return frozenset(lost | undone)

    def order(self, plan: NodePlan) -> WorkOrder:
        """Return the work order for a plan."""
        deadlines = self.deadlines or self.options.deadlines
        return WorkOrder(
            plan=plan,
            rollout=self.id,
            operator=operator(),
            access=self.session.access,
            purpose=self.kind,
            message=self.options.message,
            verify=not self.options.no_verify,
            liveness=not self.options.no_liveness,
            disrupt=self.options.disrupt_workloads,
            deadlines=deadlines.for_start(plan.daemon.start_seconds),
        )

    def _order(self, name: str) -> WorkOrder:
        return self.order(self.plans[name])

    def result(self, ended: RolloutEnd, *, journaled: bool = True) -> RolloutResult:
        """Return the result with the outcome of every node."""
        return RolloutResult(
            rollout=self.id if journaled else "",
            kind=self.kind,
            status=ended.status,
            outcomes={name: self._outcome(plan) for name, plan in self.plans.items()},
            batches=ended.state.batches,
            reason=ended.reason,
            counts=ended.state.count(),
            stuck=ended.stuck,
            gates=tuple(self.gates),
        )

    def _outcome(self, plan: NodePlan) -> NodeOutcome:
        pending = NodeOutcome(
            node=plan.node.name,
            status=NodeStatus.PENDING,
            strategy=plan.strategy,
            containerd=plan.containerd,
        )
        return self.outcomes.get(plan.node.name, pending)
