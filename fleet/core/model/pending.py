"""An unconfirmed change on a node, as the probe found it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.core.model.finding import Finding, FindingEffect

PENDING = "/var/lib/fleet/pending"


RETRY = 20
"""Seconds after which a guard that was killed or failed is started again."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that is neither confirmed nor completely reverted; times are of the node's clock.

    `failed` is why its guard could not revert it; empty if the guard has not failed.
    """

    rollout: str
    phase: str = ""
    since: int = 0
    failed: str = ""
    failed_since: int = 0


def pending_findings(pending: Pending | None) -> Iterator[Finding]:
    """Yield the finding for an unconfirmed change on a node."""
    if pending is None:
        return
    change, since = f"change {pending.rollout}", _time(pending.since)
    if pending.failed:
        code = "guard-failing"
        message = (
            f"the guard cannot revert {change} since {_time(pending.failed_since)}"
            f" ({pending.failed}); it tries again every {RETRY} s"
        )
    elif pending.phase in {"armed", "swapped"}:
        code = "guard-pending"
        message = f"{change} is unconfirmed since {since}; wait for its guard or its rollout"
    else:
        code = "guard-pending"
        message = (
            f"a revert of {change} began at {since} and has not ended; wait, its guard tries again"
            f" every {RETRY} s"
        )
    yield Finding(code, FindingEffect.NOTES, PENDING, message)


def _time(seconds: int) -> str:
    """Return a time of the node's clock as text; it may be out of range."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "an unknown time"
