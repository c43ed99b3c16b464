"""The command `fleet resume`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from fleet.cli import completers
from fleet.cli.change_options import journal, yes
from fleet.cli.connection_options import Connection, connecting_to_change
from fleet.cli.drain_options import draining_again
from fleet.cli.help import command
from fleet.cli.options import Settings, takes
from fleet.errors import printable


@command()
@click.argument("rollout_id", metavar="[ID]", required=False, shell_complete=completers.rollout_ids)
@yes
@journal
@draining_again
@connecting_to_change
@takes("inventory", "mirrors", "ssh_config")
def resume(
    settings: Settings,
    *,
    connection: Connection,
    rollout_id: str | None,
    yes: bool,
    journal: str | None,
    **changes: Any,
) -> None:
    """Finish a halted or interrupted rollout.

    The same for an undo, a rollback or a removal. fleet first confirms or reverts the nodes left
    in the middle of a change. Without ID: the newest one. ID may be `last`, its first characters
    or its last four. Without -m, fleet reads the mirrors file that the rollout began with.
    """
    from fleet.actions import resume as action
    from fleet.cli.terminal import (
        Terminal,
        end_job,
        journal_files,
        nothing_is_success,
        open_session,
    )

    with nothing_is_success(settings):
        settings = _with_recorded_mirrors(settings, journal, rollout_id)
        terminal = Terminal(settings, yes=yes)
        session = open_session(settings, connection, terminal)
        target = journal_files(settings, journal)
        result = action.resume(target, rollout_id, session, settings.load, changes)
        end_job(result, settings, terminal)


def _with_recorded_mirrors(
    settings: Settings, journal: str | None, rollout_id: str | None
) -> Settings:
    """Return the settings with the mirrors.yaml that the rollout began with, unless -m is given."""
    from fleet.actions.resumable import mirrors_file
    from fleet.cli.terminal import journal_files

    if settings.mirrors_given:
        return settings
    recorded = mirrors_file(journal_files(settings, journal), rollout_id)
    if recorded is None or recorded == settings.mirrors.absolute():
        return settings
    settings.say(printable(f"reading {recorded}, with which the rollout began"))
    return replace(settings, mirrors=recorded)
