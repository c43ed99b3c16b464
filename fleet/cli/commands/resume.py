"""The command `fleet resume`."""

from __future__ import annotations

import click

from fleet.cli.options import Connection, Settings, connecting, journal, shared


@click.command()
@click.argument("rollout_id", metavar="[ID]", required=False)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@journal
@connecting
@shared
def resume(
    settings: Settings,
    *,
    connection: Connection,
    rollout_id: str | None,
    yes: bool,
    journal: str | None,
) -> None:
    """Go on with an interrupted rollout: settle what it left in flight, then the rest."""
    from fleet.actions import resume as action
    from fleet.cli.terminal import Terminal, end_job, journal_files, open_session

    terminal = Terminal(settings, yes=yes)
    session = open_session(settings, connection, terminal)
    target = journal_files(settings, journal)
    end_job(action.resume(target, rollout_id, session, settings.load), settings, terminal)
