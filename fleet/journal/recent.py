"""The newest rollouts of a journal in brief, for the completion of rollout IDs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_QUERY = """
    SELECT id, started, json_extract(about, '$.kind'), json_extract(about, '$.operator'),
        json_extract(about, '$.flags.message')
    FROM rollout ORDER BY rowid DESC LIMIT ?
"""
_WAIT = 0.1
"""Seconds to wait for a journal that another process locks."""


@dataclass(frozen=True, slots=True)
class RecentRollout:
    """A rollout as it began."""

    id: str
    started: str
    kind: str
    operator: str
    message: str


def recent_rollouts(path: Path, most: int) -> list[RecentRollout]:
    """Return the newest rollouts without a check of the file; raise if it cannot be read."""
    if not path.is_file():
        return []
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_WAIT)) as base:
        rows = base.execute(_QUERY, (most,)).fetchall()
    return [RecentRollout(*(str(value or "") for value in row)) for row in rows]
