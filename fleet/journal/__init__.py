"""The journal: an append-only SQLite file beside the inventory, readable by its owner only."""

from __future__ import annotations

from fleet.journal.fingerprint_key import passing_key, read_key
from fleet.journal.opening import is_there
from fleet.journal.private_files import open_private, write_private
from fleet.journal.running import running_process
from fleet.journal.store import Journal, RolloutRecord

__all__ = [
    "Journal",
    "RolloutRecord",
    "is_there",
    "open_private",
    "passing_key",
    "read_key",
    "running_process",
    "write_private",
]
