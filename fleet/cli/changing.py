"""Commands that change nodes: rollout and rollback. Plan, confirm, drive, recap."""

from __future__ import annotations

import functools
import getpass
import hashlib
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from fleet.cli import views
from fleet.cli.interrupt import stop_switch
from fleet.cli.live import Screen, open_screen
from fleet.cli.options import Exit, Settings, Taste, access
from fleet.cli.reading import in_order, judged, show_plans, surveyed, told
from fleet.core.model import Inventory
from fleet.core.outcome import FailureKind, NodeOutcome, NodeStatus
from fleet.core.plan import NodePlan
from fleet.core.present import outcome_data, rollout_data
from fleet.core.rollout import (
    NodeMoved,
    Policy,
    RolloutState,
    begin,
    cut_batches,
    group_limits,
    parse_batches,
    parse_size,
)
from fleet.engine import Conduct, Ended, drive, settled, survey_rollback, workers
from fleet.errors import FleetError
from fleet.journal import Journal
from fleet.node.order import Access, Deadlines, WorkOrder

_MOST_WORKERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of rollout and rollback, as the command line gave them."""

    yes: bool
    dry_run: bool
    batch: str
    max_failures: str
    skip_unreachable: bool
    pause: float
    soak: int
    health_timeout: int
    guard: int
    disrupt_workloads: bool
    journal: str | None
    ask_become_pass: bool
    parallel: int
    connect_timeout: float
    no_verify: bool = False
    pull_timeout: int = 120
    full_default: bool = False
    foreign: str = "adopt"
    to: str | None = None

    @property
    def deadlines(self) -> Deadlines:
        """Return the deadlines of every pass."""
        return Deadlines(
            health=self.health_timeout, pull=self.pull_timeout, soak=self.soak, guard=self.guard
        )


def rollout(settings: Settings, flags: Flags) -> Exit:
    """Bring the chosen nodes to mirrors.yaml."""
    loaded = settings.load()
    how = access(settings, ask=flags.ask_become_pass, seconds=flags.connect_timeout)
    taste = Taste(full_default=flags.full_default, foreign=flags.foreign)
    found = surveyed(settings, loaded, how, parallel=flags.parallel, taste=taste)
    job = _Job("rollout", settings, flags, how, loaded.inventory, [each.plan for each in found])
    return job.run()


def rollback(settings: Settings, flags: Flags) -> Exit:
    """Bring the chosen nodes back to what a generation keeps."""
    from fleet.config.load import load_inventory  # noqa: PLC0415 - YAML costs `--help` nothing

    inventory = load_inventory(settings.inventory)
    nodes = settings.select(inventory)
    how = access(settings, ask=flags.ask_become_pass, seconds=flags.connect_timeout)
    found = survey_rollback(nodes, how, to=flags.to, parallel=flags.parallel)
    names = [node.name for node in nodes]
    ordered = in_order(told(found, len(nodes), settings), names)
    job = _Job("rollback", settings, flags, how, inventory, [each.plan for each in ordered])
    return job.run()


def new_rollout_id(now: datetime) -> str:
    """Name a rollout so that names sort by time."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def stamp() -> str:
    """Return the time as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def operator() -> str:
    """Say who runs fleet, and from where."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def journal_path(settings: Settings, chosen: str | None) -> Path:
    """Return where the journal lies: it belongs to the fleet, so beside its inventory."""
    if chosen:
        return Path(chosen)
    return settings.inventory.expanduser().absolute().parent / ".fleet" / "journal.db"


class _Job:
    """One rollout or rollback from its plans to its recap."""

    def __init__(
        self,
        kind: str,
        settings: Settings,
        flags: Flags,
        how: Access,
        inventory: Inventory,
        plans: Sequence[NodePlan],
    ) -> None:
        self._kind, self._settings, self._flags, self._how = kind, settings, flags, how
        self._inventory = inventory
        self._plans = {plan.node.name: plan for plan in plans}
        self._outcomes: dict[str, NodeOutcome] = {}
        for plan in plans:
            if (done := settled(plan)) is not None:
                self._outcomes[plan.node.name] = done
        self._id = new_rollout_id(datetime.now(UTC))

    def run(self) -> Exit:
        sizes = parse_batches(self._flags.batch)
        plans = list(self._plans.values())
        if self._flags.dry_run:
            show_plans(plans, self._settings)
            code = judged(plans)
            return Exit.OK if code is Exit.DIFFERENT else code
        if not self._settings.as_json and not self._settings.quiet:
            out = views.console(color=self._settings.color)
            views.print_plans(plans, out)
        names = _rollout_order([plan for plan in plans if plan.node.name not in self._outcomes])
        batches = cut_batches(names, sizes)
        if names:
            self._confirm(len(names))
        return self._carry_out(batches)

    def _confirm(self, count: int) -> None:
        """Ask, unless that was answered; away from a terminal nobody could answer."""
        if self._flags.yes:
            return
        if not sys.stdin.isatty():
            raise FleetError("there is no terminal to ask on: give --yes to change the nodes")
        click.confirm(f"Change {count} nodes?", abort=True, err=True)

    def _policy(self) -> Policy:
        size = parse_size(self._flags.max_failures, "--max-failures")
        total = len(self._plans)
        budget = total * size.number // 100 if size.percent else size.number
        away = {
            name
            for name, outcome in self._outcomes.items()
            if self._flags.skip_unreachable and outcome.status is NodeStatus.UNREACHABLE
        }
        return Policy(budget, group_limits(self._inventory), frozenset(away))

    def _carry_out(self, batches: tuple[tuple[str, ...], ...]) -> Exit:
        state = begin(batches, {name: each.status for name, each in self._outcomes.items()})
        if not batches and not any(each.status.failed for each in self._outcomes.values()):
            return self._close(Ended(state, "finished"), None)
        policy = self._policy()
        journal = Journal(journal_path(self._settings, self._flags.journal))
        journal.begin(self._id, stamp(), self._about(batches))
        for name, outcome in self._outcomes.items():
            journal.append(self._id, stamp(), "settled", name, outcome_data(outcome))

        def close_journal(status: str, reason: str) -> None:
            about = {"status": status, "reason": reason}
            journal.append(self._id, stamp(), "ended", None, about)

        leave = functools.partial(close_journal, "interrupted", "stopped in mid-batch")
        with (
            open_screen(self._settings) as screen,
            stop_switch(leave) as stopping,
        ):
            ended = self._drive(state, policy, journal, screen, stopping)
        close_journal(ended.status, ended.reason)
        return self._close(ended, journal)

    def _about(self, batches: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
        files = (self._settings.inventory, self._settings.mirrors)
        return {
            "kind": self._kind,
            "operator": operator(),
            "files": {str(path): _digest(path) for path in files},
            "batches": [list(batch) for batch in batches],
            "batch": self._flags.batch,
            "max_failures": self._flags.max_failures,
        }

    def _drive(
        self,
        state: RolloutState,
        policy: Policy,
        journal: Journal,
        screen: Screen,
        stopping: Callable[[], bool],
    ) -> Ended:
        def record(event: NodeMoved, outcome: NodeOutcome | None) -> None:
            payload = outcome_data(outcome) if outcome else {"status": str(event.status)}
            journal.append(self._id, stamp(), "moved", event.node, payload)
            if outcome is None:
                screen.started(event.node)
            else:
                self._outcomes[event.node] = outcome
                screen.ended(outcome)

        def batch(number: int, nodes: tuple[str, ...]) -> None:
            journal.append(self._id, stamp(), "batch", None, {"number": number + 1})
            screen.batch(number + 1, len(state.batches), nodes)

        orders = {name: self._order(name) for each in state.batches for name in each}
        conduct = Conduct(record, batch, stopping, self._flags.pause)
        with workers(min(_MOST_WORKERS, max(map(len, state.batches), default=1))) as pool:
            return drive(state, policy, orders, conduct, pool)

    def _order(self, name: str) -> WorkOrder:
        return WorkOrder(
            plan=self._plans[name],
            rollout=self._id,
            operator=operator(),
            access=self._how,
            purpose=self._kind,
            verify=not self._flags.no_verify,
            disrupt=self._flags.disrupt_workloads,
            deadlines=self._flags.deadlines,
        )

    def _close(self, ended: Ended, journal: Journal | None) -> Exit:
        """Print the recap and judge."""
        ordered = [self._outcome(name) for name in self._plans]
        rollout_id = self._id if journal is not None else ""
        if self._settings.as_json:
            nodes = {each.node: outcome_data(each) for each in ordered}
            batches = ended.state.batches
            views.print_json(rollout_data(rollout_id, ended.status, nodes, batches))
        else:
            out = views.console(color=self._settings.color)
            views.print_outcomes(ordered, out)
            line = views.recap(ended.state.nodes, f"{self._kind} {ended.status}", ended.reason)
            out.print(f"{line}  {rollout_id}".rstrip(), style="bold")
        return judge(ended.status, ordered)

    def _outcome(self, name: str) -> NodeOutcome:
        pending = NodeOutcome(
            node=name,
            status=NodeStatus.PENDING,
            strategy=self._plans[name].strategy,
            containerd=self._plans[name].containerd,
        )
        return self._outcomes.get(name, pending)


def judge(status: str, outcomes: Sequence[NodeOutcome]) -> Exit:
    """Return the exit code of a rollout; the gravest wins."""
    if any(each.status is NodeStatus.DEGRADED for each in outcomes):
        return Exit.DEGRADED
    if status == "interrupted":
        return Exit.INTERRUPTED
    held = any(each.failure and each.failure.kind is FailureKind.LOCKED for each in outcomes)
    if status == "halted" or held or any(each.status is NodeStatus.STALE for each in outcomes):
        return Exit.HALTED
    return Exit.FAILED if any(each.status.failed for each in outcomes) else Exit.OK


def _rollout_order(plans: Sequence[NodePlan]) -> list[str]:
    """Order nodes by the inventory's `order`, else as they stand in the file."""
    return [plan.node.name for plan in sorted(plans, key=lambda plan: plan.node.order)]


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
