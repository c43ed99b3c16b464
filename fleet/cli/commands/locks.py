"""The commands `fleet locks` and `fleet unlock`."""

from __future__ import annotations

from functools import partial

import click

from fleet.cli import completers
from fleet.cli.change_options import journal, yes
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, takes, with_columns, with_kube_context


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
    from fleet.core.failure import Failure

    nodes = settings.select(settings.load_inventory())
    results = read_locks(nodes, open_session(settings, connection))
    show_locks(results, settings)
    failed = any(isinstance(result, Failure) for result in results.values())
    raise SystemExit(Exit.FAILED if failed else Exit.OK)


@command()
@click.argument("rollout_id", metavar="ID", shell_complete=completers.rollout_ids)
@yes
@click.option(
    "--force",
    is_flag=True,
    help="Unlock even if the rollout still runs; two rollouts may then change one node.",
)
@journal
@connecting
@takes("inventory", "limit", "ssh_config")
@with_kube_context
def unlock(
    settings: Settings,
    *,
    connection: Connection,
    rollout_id: str,
    journal: str | None,
    yes: bool,
    force: bool,
) -> None:
    """Release the lock of a dead rollout.

    fleet first reverts changes that the rollout left unconfirmed. It uncordons the nodes that the
    rollout has cordoned, unless a person has cordoned them since. It refuses if that rollout still
    runs. ID may be `last`, its first characters or its last four.
    """
    from fleet.actions import locks as action
    from fleet.actions.drains import unlock_cordons
    from fleet.actions.rollout_ids import full_id_if_known
    from fleet.cli.output.locks import ask_to_unlock, show_unlocked
    from fleet.cli.prompts import require_terminal
    from fleet.cli.terminal import journal_path, open_session
    from fleet.node.change_status import ChangeStatus, SettleEnding

    path = journal_path(settings, journal)
    rollout_id = full_id_if_known(path, rollout_id)
    action.refuse_bad_id(rollout_id)
    nodes = settings.select(settings.load_inventory())
    if not yes:
        require_terminal("unlock")
    session = open_session(settings, connection).ready(nodes)
    rollout_id = action.locking_rollout(nodes, rollout_id, session)
    if not force:
        action.refuse_running(rollout_id, path)
    shown = None
    if not yes:
        read = action.read_locks if force else partial(action.idle_locks, rollout=rollout_id)
        shown = read(nodes, session=session)
        ask_to_unlock(action.held_by(rollout_id, shown), rollout_id)
    if force:
        results = action.unlock(nodes, rollout_id, session)
    else:
        results = action.unlock_dead(nodes, rollout_id, session, path, shown)
    cordons = unlock_cordons(nodes, rollout_id, path, settings.kube_context)
    resumable = action.can_resume(rollout_id, path)
    show_unlocked(results, cordons, settings, rollout=rollout_id, resumable=resumable)
    good = not any(cordons.values()) and all(
        isinstance(result, ChangeStatus) and result.ending is SettleEnding.RELEASED
        for result in results.values()
    )
    raise SystemExit(Exit.OK if good else Exit.FAILED)
