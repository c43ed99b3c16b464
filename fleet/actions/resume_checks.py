"""Checks before a resume: nodes, mirrors and secrets must be as when the rollout began."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.actions.journaling import JournalFiles, digest_of
from fleet.core.history.replay import RolloutHistory
from fleet.core.masking import Fingerprints
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import MirrorConfig
from fleet.core.render.fingerprints import (
    changed_parts,
    desired_fingerprints,
    node_fingerprints,
)
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
                f"rollout {record.id} was interrupted, and rollout {later.id} has changed"
                f" {compress(nodes)} since; roll out again, and release what it still holds by"
                f" `fleet unlock {record.id}`"
            )


def refuse_changed_files(files: JournalFiles, record: RolloutRecord, inventory: Inventory) -> None:
    """Refuse to resume a rollout if nodes of it have other settings than when it began.

    Comments, layout and other nodes do not count. The record of an older release has only the
    digests of both files, so any edit counts there.
    """
    digests = {digest for digest in record.about["files"].values() if digest}
    paths = [] if "node_settings" in record.about else [files.inventory]
    if record.about["kind"] == "rollout" and "desired" not in record.about:
        paths.append(files.mirrors)
    changed = [str(path) for path in paths if digest_of(path) not in digests]
    if "node_settings" in record.about:
        changed += _changed_nodes(files, record, inventory)
    _refuse(record, changed)


def _changed_nodes(files: JournalFiles, record: RolloutRecord, inventory: Inventory) -> list[str]:
    before = record.about["node_settings"]
    after = node_fingerprints(inventory, record.about["nodes"])
    names = [name for name in dict.fromkeys((*before, *after))
             if before.get(name) != after.get(name)]  # fmt: skip
    if not names:
        return []
    shown = ", ".join(names[:_NAMED]) + _more(names)
    return [f"{files.inventory}: the settings of {shown}"]


def refuse_changed_config(
    files: JournalFiles, record: RolloutRecord, config: MirrorConfig, mark: Fingerprints
) -> None:
    """Refuse to resume a rollout if mirrors.yaml means something else than when it began.

    Secrets and certificates count, although they stand in variables and in other files.
    """
    before = record.about.get("desired")
    if before is None:  # an older release of fleet began the rollout, and recorded only the files
        return
    changed = changed_parts(before, desired_fingerprints(config, mark))
    if changed:
        _refuse(record, [f"{files.mirrors}: {', '.join(changed[:_NAMED])}{_more(changed)}"])


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""


def _refuse(record: RolloutRecord, changed: Sequence[str]) -> None:
    if changed:
        raise FleetError(
            f"changed since rollout {record.id} began: {'; '.join(changed)}. Change it back, or run"
            f" `fleet unlock {record.id}` and start a new rollout"
        )
