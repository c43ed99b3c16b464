"""The command `fleet diff`."""

from __future__ import annotations

import click

from fleet.cli.change_options import foreign_files, full_default, stat
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, shared


@command()
@click.option("--exit-code", is_flag=True, help="Exit with 4 if anything would change.")
@stat
@full_default
@foreign_files
@connecting
@shared
def diff(
    settings: Settings,
    *,
    connection: Connection,
    exit_code: bool,
    stat: bool,
    full_default: bool,
    foreign: str,
) -> None:
    """Show what a rollout would change.

    Nothing is changed. Nodes with equal diffs are shown as one.
    """
    from fleet.actions.options import RenderOptions
    from fleet.actions.refusals import refuse_unconfirmed
    from fleet.actions.survey import survey
    from fleet.cli.next_steps import other_command, say_next
    from fleet.cli.output.plan import plan_exit_code
    from fleet.cli.terminal import PlanView, journal_files, open_session

    files = settings.load()
    session = open_session(settings, connection)
    options = RenderOptions(full_default=full_default, foreign=foreign)
    surveys = survey(files, settings.select(files.inventory), session, options)
    plans = [refuse_unconfirmed(result.plan) for result in surveys]
    PlanView(stat=stat).show_dry_run(plans, settings, journal_files(settings, None))
    code = plan_exit_code(plans)
    if any(plan.changes for plan in plans):
        say_next(settings, other_command("rollout"))
    raise SystemExit(code if exit_code or code is not Exit.DIFFERENT else Exit.OK)
