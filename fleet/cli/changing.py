"""The commands that change nodes, rollout and rollback: plan, confirm, drive, recap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from fleet.cli.flags import (
    Flags,
    fingerprints,
    new_rollout_id,
    open_journal,
    operator,
    refuse_short_guard,
    stamp,
)
from fleet.cli.job import Job, guarded
from fleet.cli.leftovers import take_over
from fleet.cli.options import Exit, RenderOptions, Settings, access
from fleet.cli.output.plan import print_plans
from fleet.cli.output.tables import console
from fleet.cli.plane import access_to_plane
from fleet.cli.prompts import ready
from fleet.cli.reading import in_order, plan_exit_code, show_plans, surveyed, with_progress
from fleet.core.masking import Fingerprints
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout.batches import parse_batches
from fleet.core.rollout.state import begin
from fleet.core.selection.ranges import compress
from fleet.engine.driver import RolloutResult
from fleet.engine.survey import already_done, survey_rollback
from fleet.engine.workers.base import WorkerPool
from fleet.errors import FleetError
from fleet.node.work_order import Access

RERUN = {
    "failed": {
        NodeStatus.FAILED,
        NodeStatus.ROLLED_BACK,
        NodeStatus.STALE,
        NodeStatus.DEGRADED,
    },
    "unreachable": {NodeStatus.UNREACHABLE},
}
"""The nodes of an earlier rollout that `--rerun` selects, by its argument."""


def rollout(settings: Settings, flags: Flags, pool: WorkerPool) -> Exit:
    """Bring the chosen nodes to mirrors.yaml."""
    parse_batches(flags.batch)
    refuse_short_guard(flags)
    loaded = settings.load()
    how = access(settings, ask=flags.ask_become_pass, seconds=flags.connect_timeout)
    options = RenderOptions(full_default=flags.full_default, foreign=flags.foreign)
    selected = _select_rerun(settings, flags, loaded.inventory) if flags.rerun else settings
    how = _reusing_connections(ready(how, selected.select(loaded.inventory)), flags, pool)

    def plans() -> list[NodePlan]:
        surveys = surveyed(selected, loaded, how, pool=pool, taste=options)
        return [guarded(result.plan, flags) for result in surveys]

    ground = (how, loaded.inventory, pool)
    return _run("rollout", settings, flags, ground, plans, loaded.mirrors)


def _select_rerun(settings: Settings, flags: Flags, inventory: Inventory) -> Settings:
    """Return settings that select only the nodes on which an earlier rollout failed.

    Nodes that are not in the inventory any more are reported.
    """
    which, rollout_id = flags.rerun or ("", "")
    journal = open_journal(settings, flags.journal)
    record = journal.rollout(rollout_id)
    replayed = journal.replayed(record)
    names = [name for name, status in replayed.state.nodes.items() if status in RERUN[which]]
    if not names:
        raise FleetError(f"rollout {rollout_id} has left no {which} nodes; nothing to do again")
    known = {node.name for node in inventory.nodes}
    if gone := [name for name in names if name not in known]:
        message = (
            f"{compress(gone)}: {which} in rollout {rollout_id}, and not in the inventory any more"
        )
        if len(gone) == len(names):
            raise FleetError(f"{message}; give renamed nodes with --limit")
        settings.say(message)
    return replace(settings, among=frozenset(names))


def rollback(settings: Settings, flags: Flags, pool: WorkerPool) -> Exit:
    """Bring the chosen nodes back to a saved generation."""
    from fleet.config.load import load_inventory  # noqa: PLC0415 - YAML costs `--help` nothing

    parse_batches(flags.batch)
    refuse_short_guard(flags)
    inventory = load_inventory(settings.inventory)
    how = access(settings, ask=flags.ask_become_pass, seconds=flags.connect_timeout)
    how = _reusing_connections(ready(how, settings.select(inventory)), flags, pool)

    def plans() -> list[NodePlan]:
        nodes = settings.select(inventory)
        surveys = survey_rollback(nodes, how, to=flags.to, pool=pool)
        ordered = in_order(
            with_progress(surveys, len(nodes), settings), [node.name for node in nodes]
        )
        return [guarded(result.plan, flags) for result in ordered]

    return _run("rollback", settings, flags, (how, inventory, pool), plans)


def _reusing_connections(how: Access, flags: Flags, pool: WorkerPool) -> Access:
    """Return an access that reuses connections after the survey, unless it is a dry run."""
    return replace(how, reuse_connection=pool.keeps_connections and not flags.dry_run)


def _run(
    kind: str,
    settings: Settings,
    flags: Flags,
    ground: tuple[Access, Inventory, WorkerPool],
    plans: Callable[[], list[NodePlan]],
    config: MirrorConfig | None = None,
) -> Exit:
    """Show the plans, ask, and carry them out while holding the journal's lock."""
    if flags.dry_run:
        node_plans = plans()
        show_plans(node_plans, settings, fingerprints(settings, flags.journal))
        code = plan_exit_code(node_plans)
        return Exit.OK if code is Exit.DIFFERENT else code
    name = new_rollout_id(datetime.now(UTC))
    journal = open_journal(settings, flags.journal)
    with journal.held(f"{kind} {name} of {operator()} since {stamp()}"):
        job = Job(
            id=name,
            kind=kind,
            settings=settings,
            flags=flags,
            access=ground[0],
            inventory=ground[1],
            pool=ground[2],
            journal=journal,
            mark=Fingerprints(journal.key()),
            plans={plan.node.name: plan for plan in plans()},
            config=config,
        )
        take_over(job)
        return _carry_out(job)


def _carry_out(job: Job) -> Exit:
    """Confirm and carry out a job that has its plans."""
    plans = list(job.plans.values())
    job.outcomes = {
        outcome.node: outcome for plan in plans if (outcome := already_done(plan)) is not None
    }
    if not job.settings.as_json and not job.settings.quiet:
        print_plans(plans, console(color=job.settings.color), job.mark)
    job.access = access_to_plane(job)
    batches = job.batches()
    job.confirm(sum(map(len, batches)))
    state = begin(batches, {name: outcome.status for name, outcome in job.outcomes.items()})
    if not batches and not any(outcome.status.failed for outcome in job.outcomes.values()):
        return job.close(RolloutResult(state, "finished"), told=False)
    job.begin(batches)
    return job.carry_out(state)
