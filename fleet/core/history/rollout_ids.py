"""Rollout IDs as users type them: in full, `last`, or a prefix that is unique, as in git."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from fleet.errors import FleetError

LAST = "last"
"""The name of the newest rollout."""

_COMPLETE = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_LISTED = 10
"""The most candidates that an error lists."""


class UnknownRolloutError(FleetError):
    """A text that names no rollout of the journal."""


def is_complete(text: str) -> bool:
    """Return whether a text is a rollout ID in full."""
    return _COMPLETE.fullmatch(text) is not None


def begun_at(text: str) -> datetime | None:
    """Return the time in a rollout ID; None if the text is not a rollout ID in full."""
    if not is_complete(text):
        return None
    try:
        return datetime.strptime(text[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def find_ids(given: str, known: Sequence[str]) -> list[str]:
    """Return the IDs that a text may mean; `known` has the newest first.

    The whole ID means itself even if it is also a prefix. Four characters may be the end of an
    ID: it is the part in which the IDs of one day differ.
    """
    if given == LAST:
        return list(known[:1])
    if given in known:
        return [given]
    begun = [name for name in known if given and name.startswith(given)]
    return begun or [name for name in known if len(given) == 4 and name.endswith(f"-{given}")]


def ambiguous(given: str, candidates: Sequence[str]) -> FleetError:
    """Return the error for a text that may mean several rollouts; `candidates` describe them."""
    more = len(candidates) - _LISTED
    lines = [*candidates[:_LISTED], *([f"and {more} more"] if more > 0 else [])]
    listed = "".join(f"\n  {line}" for line in lines)
    return FleetError(f"{given!r} is ambiguous; type more of the rollout ID:{listed}")
