"""The command `fleet remove`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli.change_options import changing_nodes, no_liveness
from fleet.cli.connection_options import Connection, connecting_to_change
from fleet.cli.help import command
from fleet.cli.options import Settings, takes


@command()
@click.option("--keep-config", is_flag=True, help="Leave the registry config as it is.")
@click.option(
    "--overwrite", "foreign", flag_value="overwrite", default="adopt",
    help="Restore the original even of files that were edited since; the edits are lost.",
)  # fmt: skip
@no_liveness
@changing_nodes
@connecting_to_change
@takes("inventory", "limit", "ssh_config")
def remove(
    settings: Settings,
    *,
    connection: Connection,
    yes: bool,
    dry_run: bool,
    journal: str | None,
    **flags: Any,
) -> None:
    """Restore the original config, remove fleet's files.

    The config from before fleet comes back byte for byte, behind the same health checks as in a
    rollout. Then fleet's lock, guard, record and saved generations are removed.
    """
    from fleet.actions import remove as action
    from fleet.actions.options import RolloutOptions
    from fleet.cli.output.plan import show_plans
    from fleet.cli.terminal import Terminal, end_dry_run, end_job, journal_files, open_session

    options = RolloutOptions(**flags)
    options.validate()
    inventory, target = settings.load_inventory(), journal_files(settings, journal)
    terminal = Terminal(settings, yes=yes)
    session = open_session(settings, connection, terminal)
    nodes = settings.select(inventory)
    if dry_run:
        plans = action.plan_remove(inventory, nodes, options, session)
        show_plans(plans, settings, target.fingerprints())
        end_dry_run(plans, settings)
    end_job(action.remove(inventory, nodes, options, session, target), settings, terminal)
