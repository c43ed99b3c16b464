"""The command `fleet history`."""

from __future__ import annotations

from typing import NoReturn

import click

from fleet.cli import completers
from fleet.cli.change_options import journal
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, takes, with_columns


@command()
@click.argument("rollout_id", metavar="[ID]", required=False, shell_complete=completers.rollout_ids)
@click.option(
    "--node", metavar="NODE", shell_complete=completers.nodes,
    help="Show what was done to this node.",
)  # fmt: skip
@click.option(
    "--from-nodes", is_flag=True,
    help="Read the audit logs of the nodes instead of the journal of this workstation.",
)  # fmt: skip
@journal
@connecting
@takes("inventory", "limit", "ssh_config")
@with_columns
def history(
    settings: Settings,
    *,
    connection: Connection,
    rollout_id: str | None,
    node: str | None,
    from_nodes: bool,
    journal: str | None,
) -> None:
    """Show what was done, when and by whom.

    With ID: that rollout, node by node. ID may be `last`, its first characters or its last four.
    Several administrators have several journals. With --from-nodes they see one history, which
    the nodes have recorded themselves.
    """
    if from_nodes:
        _show_from_nodes(settings, connection, rollout_id, node)
    if settings.limit is not None or settings.exclude is not None:
        raise click.UsageError("--limit and --exclude need --from-nodes; for one node: --node NODE")
    from fleet.actions.history import past_rollouts
    from fleet.cli.output.history import show_history
    from fleet.cli.terminal import journal_path

    path = journal_path(settings, journal)
    rollouts = past_rollouts(path, rollout_id, node)
    if rollouts or node or settings.as_json:
        show_history(rollouts, rollout_id, node, settings)
    else:
        settings.say(f"No rollouts yet ({path}).")


def _show_from_nodes(
    settings: Settings, connection: Connection, rollout_id: str | None, node: str | None
) -> NoReturn:
    from fleet.actions.node_history import read_history
    from fleet.cli.output.node_history import show_node_history
    from fleet.cli.terminal import open_session

    session = open_session(settings, connection)
    nodes = settings.select(settings.load_inventory())
    history = read_history(nodes, session, rollout_id, node)
    show_node_history(history, rollout_id, settings)
    raise SystemExit(Exit.FAILED if history.failures else Exit.OK)
