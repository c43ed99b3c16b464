"""The commands `fleet locks` and `fleet unlock`."""

from __future__ import annotations

import click

from fleet.cli import completers
from fleet.cli.change_options import journal
from fleet.cli.help import command
from fleet.cli.options import Connection, Exit, Settings, connecting, takes, with_columns


@command()
@connecting
@takes("inventory", "limit", "ssh_config")
@with_columns
def locks(settings: Settings, *, connection: Connection) -> None:
    """Show which rollout has locked which node.

    Nothing is locked or changed.
    """
    from fleet.actions.locks import read_locks
    from fleet.cli.output.locks import show_locks
    from fleet.cli.terminal import open_session
    from fleet.config.load import load_inventory
    from fleet.core.failure import Failure

    session = open_session(settings, connection)
    results = read_locks(settings.select(load_inventory(settings.inventory)), session)
    show_locks(results, settings)
    failed = any(isinstance(result, Failure) for result in results.values())
    raise SystemExit(Exit.FAILED if failed else Exit.OK)


@command()
@click.argument("rollout_id", metavar="ID", shell_complete=completers.rollout_ids)
@journal
@connecting
@takes("inventory", "limit", "ssh_config")
def unlock(
    settings: Settings, *, connection: Connection, rollout_id: str, journal: str | None
) -> None:
    """Release the lock of a dead rollout.

    A change that it left unconfirmed is undone.
    """
    from fleet.actions import locks as action
    from fleet.actions.rollout_ids import full_id_if_known
    from fleet.cli.output.locks import show_unlocked
    from fleet.cli.terminal import journal_path, open_session
    from fleet.config.load import load_inventory
    from fleet.node.change_status import ChangeStatus, SettleEnding

    rollout_id = full_id_if_known(journal_path(settings, journal), rollout_id)
    action.refuse_bad_id(rollout_id)
    session = open_session(settings, connection)
    nodes = settings.select(load_inventory(settings.inventory))
    session = session.ready(nodes)
    rollout_id = action.locking_rollout(nodes, rollout_id, session)
    results = action.unlock(nodes, rollout_id, session)
    show_unlocked(results, rollout_id, settings)
    good = all(
        isinstance(result, ChangeStatus) and result.ending is SettleEnding.RELEASED
        for result in results.values()
    )
    raise SystemExit(Exit.OK if good else Exit.FAILED)
