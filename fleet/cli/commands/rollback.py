"""The command `fleet rollback`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli import completers
from fleet.cli.change_options import changing_nodes, no_liveness, registry
from fleet.cli.connection_options import Connection, connecting_to_change
from fleet.cli.help import command
from fleet.cli.options import Settings, takes


@command()
@click.option(
    "--to",
    metavar="ID",
    shell_complete=completers.rollout_ids,
    help="Undo everything since and including this rollout. ID is a rollout ID, or a saved edit"
    " (ID-displaced).",
)
@registry
@no_liveness
@changing_nodes
@connecting_to_change
@takes("inventory", "limit", "ssh_config")
def rollback(
    settings: Settings,
    *,
    connection: Connection,
    yes: bool,
    dry_run: bool,
    journal: str | None,
    **flags: Any,
) -> None:
    """Undo each node's own last change.

    Nodes may go back to different rollouts. To undo one rollout, use `fleet undo`. The old files
    come back byte for byte, behind the same health checks.
    """
    from fleet.actions import rollback as action
    from fleet.actions.options import RolloutOptions
    from fleet.actions.rollout_ids import with_full_ids
    from fleet.cli.output.plan import show_plans
    from fleet.cli.terminal import Terminal, end_dry_run, end_job, journal_files, open_session

    options = RolloutOptions(**flags)
    options.validate()
    inventory, target = settings.load_inventory(), journal_files(settings, journal)
    options = with_full_ids(options, target.journal)
    terminal = Terminal(settings, yes=yes)
    nodes = settings.select(inventory)
    session = open_session(settings, connection, terminal)
    if dry_run:
        plans = action.plan_rollback(inventory, nodes, options, session, target)
        show_plans(plans, settings, target.fingerprints())
        end_dry_run(plans, settings)
    end_job(action.rollback(inventory, nodes, options, session, target), settings, terminal)
