"""A rollout as a page, as JSON or as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from fleet.cli.flags import journal_path
from fleet.cli.options import Settings
from fleet.core.masking import clean_data
from fleet.core.outcome import Failure, NodeStatus
from fleet.core.present import failure_data
from fleet.core.record import Entry
from fleet.core.report import report_data
from fleet.engine.bugs import contained
from fleet.errors import FleetError
from fleet.journal import Journal, RolloutRecord, is_there, write_private


def report(
    settings: Settings, rollout: str, *, form: str, output: str | None, journal: str | None
) -> None:
    """Write what became of a rollout to a file, or to stdout."""
    path = journal_path(settings, journal)
    if not is_there(path):
        raise FleetError(f"{path}: there is no journal; --journal names another")
    records = Journal(path, read_only=True)
    record = records.rollout(rollout)
    entries = records.entries(record.id)
    with records.reading():
        text = report_text(record, entries, form)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        note = write_private(Path(output), text)
    except OSError as error:
        raise FleetError(f"{output}: cannot be written ({error.strerror})") from error
    settings.say(f"{output}: written{f', {note}' if note else ''}")


def report_text(record: RolloutRecord, entries: Sequence[Entry], form: str) -> str:
    """Return the report of a rollout; entries of a node that cannot be shown are its failure."""
    try:
        return _text(record, entries, form)
    except Exception:
        names = dict.fromkeys(entry.node for entry in entries if entry.node is not None)
        odd = {n: f for n in names if (f := _failure(record, entries, form, n)) is not None}
        if not odd:
            raise
        sound = [entry for entry in entries if entry.node not in odd]
        at = entries[-1].at
        bugs = [Entry(at, "moved", n, _unknown(failure)) for n, failure in odd.items()]
        return _text(record, [*sound, *bugs], form)


def _failure(
    record: RolloutRecord, entries: Sequence[Entry], form: str, node: str
) -> Failure | None:
    """Return why the entries of one node cannot be shown; None if they can."""
    own = [entry for entry in entries if entry.node in {None, node}]
    found = contained(lambda: _text(record, own, form), node)
    return found if isinstance(found, Failure) else None


def _unknown(failure: Failure) -> dict[str, Any]:
    return {"status": str(NodeStatus.UNREACHABLE), "failure": failure_data(failure)}


def _text(record: RolloutRecord, entries: Sequence[Entry], form: str) -> str:
    data = clean_data(report_data(record.id, record.started, record.about, entries))
    if form == "html":
        from fleet.core.report_html import html  # noqa: PLC0415

        return html(data)
    if form == "junit":
        from fleet.core.report_junit import junit  # noqa: PLC0415

        return junit(data)
    return json.dumps(data, indent=2) + "\n"
