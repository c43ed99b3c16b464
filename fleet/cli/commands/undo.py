"""The command `fleet undo`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli import completers
from fleet.cli.change_options import changing_nodes, no_liveness, registry
from fleet.cli.connection_options import Connection, connecting_to_change
from fleet.cli.help import command
from fleet.cli.options import Settings, takes


@command()
@click.argument(
    "undoes", metavar="[ROLLOUT]", required=False, shell_complete=completers.rollout_ids
)
@click.option("--with-later", is_flag=True, help="Also undo later rollouts on these nodes.")
@registry
@no_liveness
@changing_nodes
@connecting_to_change
@takes("inventory", "limit", "ssh_config")
def undo(
    settings: Settings,
    *,
    connection: Connection,
    yes: bool,
    dry_run: bool,
    journal: str | None,
    **flags: Any,
) -> None:
    """Undo one rollout on the nodes it changed.

    ROLLOUT is an ID, its first characters, its last four, or `last`. Without ROLLOUT it is the
    newest rollout that changed something. Undo it again to bring the change back. fleet refuses
    nodes that a later rollout changed. Use --with-later to undo those rollouts too.
    """
    from fleet.actions import undo as action
    from fleet.actions.options import RolloutOptions
    from fleet.cli.output.plan import show_plans
    from fleet.cli.terminal import (
        Terminal,
        end_dry_run,
        end_job,
        journal_files,
        nothing_is_success,
        open_session,
    )

    options = RolloutOptions(**flags)
    options.validate()
    inventory, target = settings.load_inventory(), journal_files(settings, journal)
    terminal = Terminal(settings, yes=yes)
    session = open_session(settings, connection, terminal)
    nodes = settings.select(inventory)
    with nothing_is_success(settings):
        if dry_run:
            plans = action.plan_undo(inventory, nodes, options, session, target)
            show_plans(plans, settings, target.fingerprints())
            end_dry_run(plans, settings)
        end_job(action.undo(inventory, nodes, options, session, target), settings, terminal)
