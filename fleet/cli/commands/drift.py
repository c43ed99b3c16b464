"""The command `fleet drift`."""

from __future__ import annotations

import click

from fleet.cli.change_options import foreign_files
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, shared, with_columns


@command()
@click.option("--exit-code", is_flag=True, help="Exit with 4 if there is any drift.")
@foreign_files
@connecting
@shared
@with_columns
def drift(settings: Settings, *, connection: Connection, exit_code: bool, foreign: str) -> None:
    """Show files changed on nodes since fleet wrote them.

    For each file also what probably changed it.
    """
    from fleet.actions import drift as action
    from fleet.actions.options import RenderOptions
    from fleet.cli.next_steps import other_command, say_next
    from fleet.cli.output.drift import show_drift
    from fleet.cli.terminal import journal_files, open_session
    from fleet.core.selection.ranges import compress

    files, options = settings.load(), RenderOptions(foreign=foreign)
    nodes, mark = settings.select(files.inventory), journal_files(settings, None).fingerprints()
    session = open_session(settings, connection)
    examined = action.drift(files, nodes, session, options, mark)
    show_drift(examined, settings)
    if any(result.facts is None for result, _ in examined):
        raise SystemExit(Exit.FAILED)
    drifted = [result.node.name for result, files in examined if files]
    if drifted:
        say_next(settings, other_command("diff", limit=compress(drifted)))
    raise SystemExit(Exit.DIFFERENT if exit_code and drifted else Exit.OK)
