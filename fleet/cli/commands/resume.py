"""The command `fleet resume`."""

from __future__ import annotations

from dataclasses import replace

import click

from fleet.cli import completers
from fleet.cli.change_options import journal, yes
from fleet.cli.connection_options import Connection, connecting_to_change
from fleet.cli.help import command
from fleet.cli.options import Settings, takes
from fleet.errors import printable


@command()
@click.argument("rollout_id", metavar="[ID]", required=False, shell_complete=completers.rollout_ids)
@yes
@journal
@connecting_to_change
@takes("inventory", "mirrors", "ssh_config")
def resume(
    settings: Settings,
    *,
    connection: Connection,
    rollout_id: str | None,
    yes: bool,
    journal: str | None,
) -> None:
    """Finish a halted or interrupted rollout.

    The same for an undo, a rollback or a removal. fleet first confirms or reverts the nodes left
    in the middle of a change. Without ID: the newest one. ID may be `last`, its first characters
    or its last four. Without -m, a rollout goes on with the mirrors.yaml that it began with.
    """
    from fleet.actions import resume as action
    from fleet.cli.terminal import Terminal, end_job, journal_files, open_session

    target = journal_files(settings, journal)
    began_with = None if settings.mirrors_given else action.mirrors_file(target, rollout_id)
    if began_with is not None:
        if began_with != settings.mirrors.absolute():
            settings.say(printable(f"reading {began_with}, with which the rollout began"))
        settings = replace(settings, mirrors=began_with)
        target = journal_files(settings, journal)
    terminal = Terminal(settings, yes=yes)
    session = open_session(settings, connection, terminal)
    end_job(action.resume(target, rollout_id, session, settings.load), settings, terminal)
