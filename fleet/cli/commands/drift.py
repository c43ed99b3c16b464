"""The command `fleet drift`."""

from __future__ import annotations

import click

from fleet.cli.options import Connection, Exit, Settings, connecting, foreign_files, shared


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 4 if there is any drift.")
@foreign_files
@connecting
@shared
def drift(settings: Settings, *, connection: Connection, exit_code: bool, foreign: str) -> None:
    """Show what changed on nodes behind fleet's back, and whose hand it looks like."""
    from fleet.actions import drift as action
    from fleet.actions.options import RenderOptions
    from fleet.cli.output.drift import show_drift
    from fleet.cli.terminal import journal_files, open_session

    session = open_session(settings, connection)
    files, options = settings.load(), RenderOptions(foreign=foreign)
    nodes, mark = settings.select(files.inventory), journal_files(settings, None).fingerprints()
    examined = action.drift(files, nodes, session, options, mark)
    show_drift(examined, settings)
    if any(result.facts is None for result, _ in examined):
        raise SystemExit(Exit.FAILED)
    drifted = any(files for _, files in examined)
    raise SystemExit(Exit.DIFFERENT if exit_code and drifted else Exit.OK)
