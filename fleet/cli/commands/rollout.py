"""The command `fleet rollout`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli import completers
from fleet.cli.change_options import (
    changing_nodes,
    foreign_files,
    full_default,
    no_liveness,
    per_mirror,
    pull_timeout,
    stat,
)
from fleet.cli.connection_options import Connection, connecting_to_change
from fleet.cli.help import command
from fleet.cli.options import Settings, shared


@command()
@click.option("--no-verify", is_flag=True, help="Skip the verification pulls.")
@pull_timeout
@per_mirror
@no_liveness
@full_default
@click.option(
    "--rerun",
    nargs=2,
    metavar="WHICH ID",
    shell_complete=completers.rerun,
    type=(click.Choice(["failed", "unreachable"]), str),
    help="Only nodes of rollout ID with this status. WHICH is `failed` (includes `no_access`) or"
    " `unreachable`.",
)
@click.option("--diff", "again", is_flag=True,
              help="Show the diffs even if `fleet diff` has just shown them.")  # fmt: skip
@stat
@foreign_files
@changing_nodes
@connecting_to_change
@shared
def rollout(
    settings: Settings,
    *,
    connection: Connection,
    yes: bool,
    dry_run: bool,
    journal: str | None,
    **flags: Any,
) -> None:
    """Bring nodes to mirrors.yaml, batch by batch.

    Shows the plan, asks, and changes one batch at a time. A node that fails a check restores its
    old files, and the rollout stops.
    """
    from fleet.actions import rollout as action
    from fleet.actions.options import RolloutOptions
    from fleet.actions.rollout_ids import with_full_ids
    from fleet.cli.terminal import (
        PlanView,
        Terminal,
        end_dry_run,
        end_job,
        journal_files,
        open_session,
    )
    from fleet.journal.shown_plan import ShownPlan

    stat, again = flags.pop("stat"), flags.pop("again")
    options = RolloutOptions(**flags)
    options.validate()
    files, target = settings.load(), journal_files(settings, journal)
    options = with_full_ids(options, target.journal)
    view = PlanView(stat=stat, again=again, shown=ShownPlan(target.journal))
    terminal = Terminal(settings, yes=yes, view=view)
    nodes = settings.select(files.inventory)
    if options.rerun is not None:
        names = action.nodes_to_rerun(*options.rerun, files.inventory, target, terminal)
        nodes = tuple(node for node in nodes if node.name in names)
    session = open_session(settings, connection, terminal)
    if dry_run:
        plans = action.plan_rollout(files, nodes, options, session)
        view.show_dry_run(plans, settings, target)
        end_dry_run(plans, settings)
    end_job(action.rollout(files, nodes, options, session, target), settings, terminal)
