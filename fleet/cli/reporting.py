"""The command `fleet report`: a rollout as an HTML page, as JSON or as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from fleet.cli.flags import journal_path
from fleet.cli.options import Settings
from fleet.core.history.replay import JournalEntry
from fleet.core.masking import clean_data
from fleet.core.report.data import report_data
from fleet.errors import FleetError
from fleet.journal import Journal, RolloutRecord, is_there, write_private


def report(
    settings: Settings, rollout: str, *, form: str, output: str | None, journal: str | None
) -> None:
    """Write the report of a rollout to a file, or to stdout."""
    path = journal_path(settings, journal)
    if not is_there(path):
        raise FleetError(f"{path}: there is no journal; --journal names another")
    records = Journal(path, read_only=True)
    record = records.rollout(rollout)
    entries = records.entries(record.id)
    with records.reading():
        text = _format_report(record, entries, form)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        note = write_private(Path(output), text)
    except OSError as error:
        raise FleetError(f"{output}: cannot be written ({error.strerror})") from error
    settings.say(f"{output}: written{f', {note}' if note else ''}")


def _format_report(record: RolloutRecord, entries: Sequence[JournalEntry], form: str) -> str:
    data = clean_data(report_data(record.id, record.started, record.about, entries))
    if form == "html":
        from fleet.core.report.html import html  # noqa: PLC0415

        return html(data)
    if form == "junit":
        from fleet.core.report.junit import junit  # noqa: PLC0415

        return junit(data)
    return json.dumps(data, indent=2) + "\n"
