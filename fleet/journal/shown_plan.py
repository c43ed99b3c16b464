"""The record of the plan that was shown last: a rollout of the same plan need not show it again."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fleet.journal.private_files import private_folder, write_private

_NAME = "shown-plan.json"
_SECONDS = 3600
"""The time for which a plan counts as just shown; the user may not remember it for longer."""


class ShownPlan:
    """The file beside the journal with the fingerprint of the plan that was shown last.

    It is a convenience: if it cannot be read or written, the plan is shown in full.
    """

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(_NAME)

    def record(self, fingerprint: Callable[[str], str]) -> None:
        """Record that a plan was shown; `fingerprint` computes its digest with a salt."""
        salt = secrets.token_hex(16)
        about = {"at": time.time(), "salt": salt, "plan": fingerprint(salt)}
        with suppress(OSError):
            list(private_folder(self._path.parent))
            write_private(self._path, json.dumps(about))

    def seconds_since(self, fingerprint: Callable[[str], str]) -> float | None:
        """Return how long ago this same plan was shown; None if it was not, or too long ago."""
        try:
            about = json.loads(self._path.read_bytes())
            seconds = time.time() - float(about["at"])
            same = fingerprint(str(about["salt"])) == about["plan"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return seconds if same and 0 <= seconds <= _SECONDS else None
