"""The rollout of the journal that a resume finishes, and the file from which it began."""

from __future__ import annotations

from pathlib import Path

from fleet.actions.journaling import JournalFiles
from fleet.actions.resume_checks import refuse_superseded
from fleet.core.rollout.state import RolloutStatus
from fleet.errors import FleetError, NothingToDoError
from fleet.journal import Journal, RolloutRecord, is_there


def mirrors_file(files: JournalFiles, rollout_id: str | None) -> Path | None:
    """Return the path of the mirrors.yaml from which a rollout began, to resume it.

    It is None if the rollout needs no such file, if it is not recorded, or if it is gone.
    """
    if not is_there(files.journal):
        return None
    journal = Journal(files.journal, read_only=True)
    record = journal.rollout(rollout_id) if rollout_id else newest_resumable(journal)
    recorded = str(record.about.get("mirrors_file", ""))
    if record.kind != "rollout" or not recorded or not Path(recorded).is_file():
        return None
    return Path(recorded)


def newest_resumable(journal: Journal) -> RolloutRecord:
    """Return the newest rollout that was interrupted, or left a node in flight.

    Skip rollouts that a later one has superseded; raise a FleetError if none is left.
    """
    superseded = None
    for record in journal.rollouts():
        history = journal.replayed(record)
        if history.status is RolloutStatus.INTERRUPTED or history.unsettled():
            try:
                refuse_superseded(journal, record, history)
            except FleetError as error:
                superseded = superseded or error
            else:
                return record
    raise superseded or NothingToDoError(
        "nothing to resume: no rollout was interrupted; `fleet history` shows how each has ended"
    )
