"""Checks before a resume: files and secrets must be those that the rollout began with."""

from __future__ import annotations

from fleet.actions.journaling import JournalFiles, digest_of
from fleet.core.history.replay import RolloutHistory
from fleet.core.masking import Fingerprints
from fleet.core.model.mirror import MirrorConfig
from fleet.core.render.fingerprints import changed_parts, desired_fingerprints
from fleet.core.selection.ranges import compress
from fleet.errors import FleetError
from fleet.journal import Journal, RolloutRecord

_NAMED = 5
"""The most changed settings that an error lists by name."""


def refuse_superseded(journal: Journal, record: RolloutRecord, history: RolloutHistory) -> None:
    """Refuse to resume a rollout if a later one has changed nodes that it left open.

    A resumed rollback would revert the later rollout; a resumed rollout would undo the later
    rollback. Two rollouts do not conflict, since both apply the present mirrors.yaml.
    """
    left = history.open_nodes()
    for later in journal.rollouts():
        if later.id == record.id:
            return
        if {later.about["kind"], record.about["kind"]} == {"rollout"}:
            continue
        changed = journal.replayed(later).changed_nodes()
        if nodes := [name for name in left if name in changed]:
            raise FleetError(
                f"rollout {record.id} was broken off, and rollout {later.id} has changed"
                f" {compress(nodes)} since; roll out again, and release what it still holds by"
                f" `fleet unlock {record.id}`"
            )


def refuse_changed_files(files: JournalFiles, record: RolloutRecord) -> None:
    """Refuse to resume a rollout if its files have changed since it began."""
    digests = {digest for digest in record.about["files"].values() if digest}
    paths = [files.inventory]
    if record.about["kind"] == "rollout":
        paths.append(files.mirrors)
    changed = [str(path) for path in paths if digest_of(path) not in digests]
    if changed:
        raise FleetError(
            f"{', '.join(changed)}: not as when rollout {record.id} was begun; bring the file back,"
            f" or `fleet unlock {record.id}` and roll out anew"
        )


def refuse_changed_config(record: RolloutRecord, config: MirrorConfig, mark: Fingerprints) -> None:
    """Refuse to resume a rollout if a secret or certificate has changed since it began.

    The files themselves are unchanged, but a variable or file that they refer to may have changed.
    """
    before = record.about.get("desired")
    if before is None:  # an older release of fleet began the rollout, and recorded only the files
        return
    changed = changed_parts(before, desired_fingerprints(config, mark))
    if changed:
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        raise FleetError(
            f"not as when rollout {record.id} was begun: {', '.join(changed[:_NAMED])}{more}; bring"
            f" it back as it was, or `fleet unlock {record.id}` and roll out anew"
        )
