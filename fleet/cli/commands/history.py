"""The command `fleet history`."""

from __future__ import annotations

import click

from fleet.cli.change_options import journal
from fleet.cli.help import command
from fleet.cli.options import Settings, takes


@command()
@click.argument("rollout_id", metavar="[ID]", required=False)
@click.option("--node", metavar="NODE", help="Show what was done to this node.")
@journal
@takes("inventory")
def history(
    settings: Settings, *, rollout_id: str | None, node: str | None, journal: str | None
) -> None:
    """Show what was done, when and by whom.

    With ID: that rollout, node by node.
    """
    from fleet.actions.history import past_rollouts
    from fleet.cli.output.history import show_history
    from fleet.cli.terminal import journal_path

    rollouts = past_rollouts(journal_path(settings, journal), rollout_id, node)
    show_history(rollouts, rollout_id, node, settings)
