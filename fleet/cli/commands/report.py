"""The command `fleet report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fleet.cli import completers
from fleet.cli.change_options import journal
from fleet.cli.help import command
from fleet.cli.options import Settings, takes
from fleet.errors import FleetError


@command()
@click.argument("rollout_id", metavar="ID", shell_complete=completers.rollout_ids)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(), help="Write to FILE [default: stdout]."
)
@click.option("--format", "form", type=click.Choice(["html", "json", "junit"]), default="html",
              show_default=True, metavar="FORM",
              help="html (a page), json, or junit (XML for CI).")  # fmt: skip
@journal
@takes("inventory")
def report(
    settings: Settings, *, rollout_id: str, output: str | None, form: str, journal: str | None
) -> None:
    """Write what a rollout did as a page, JSON or JUnit.

    ID may be `last`, its first characters or its last four.
    """
    from fleet.actions.history import report_of
    from fleet.cli.terminal import journal_path
    from fleet.journal import write_private

    data = report_of(journal_path(settings, journal), rollout_id)
    text = _format(data, "json" if settings.as_json else form)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        note = write_private(Path(output), text)
    except OSError as error:
        raise FleetError(f"{output}: cannot be written ({error.strerror})") from error
    settings.say(f"{output}: written{f', {note}' if note else ''}")


def _format(data: dict[str, Any], form: str) -> str:
    import json

    from fleet.core.report.html import html
    from fleet.core.report.junit import junit

    if form == "html":
        return html(data)
    return junit(data) if form == "junit" else json.dumps(data, indent=2) + "\n"
