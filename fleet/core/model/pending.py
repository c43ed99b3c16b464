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

    `failed` is why its guard could not revert it; empty if the guard has not failed. `reverts_in`
    is the number of seconds until the guard's timer fires; None if it has no timer.
    """

    rollout: str
    phase: str = ""
    since: int = 0
    failed: str = ""
    failed_since: int = 0
    reverts_in: int | None = None

    @property
    def began(self) -> str | None:
        """Return when the change began as an ISO time in UTC; None if that time is not valid."""
        try:
            return f"{datetime.fromtimestamp(self.since, UTC):%Y-%m-%dT%H:%M:%S+00:00}"
        except (OverflowError, ValueError, OSError):
            return None


def pending_findings(pending: Pending | None) -> Iterator[Finding]:
    """Yield the finding for an unconfirmed change on a node."""
    if pending is None:
        return
    change, since = f"the change of rollout {pending.rollout}", _time(pending.since)
    if pending.failed:
        code = "guard-failing"
        message = (
            f"the guard has failed to revert {change} since {_time(pending.failed_since)}"
            f" ({pending.failed}); it retries every {RETRY} s"
        )
    elif pending.phase in {"armed", "swapped"}:
        code = "guard-pending"
        message = f"{change} is unconfirmed since {since}; {_guard_text(pending)}"
    else:
        code = "guard-pending"
        message = (
            f"the revert of {change} began at {since} and has not finished; the guard retries every"
            f" {RETRY} s"
        )
    yield Finding(code, FindingEffect.NOTES, PENDING, message)


def _guard_text(pending: Pending) -> str:
    """Return when the guard will revert a change, and how to keep the change."""
    if pending.reverts_in is None:
        return f"no timer will revert it: continue with `fleet resume {pending.rollout}`"
    return (
        f"the node's guard reverts it in {pending.reverts_in} s unless"
        f" `fleet resume {pending.rollout}` confirms it before"
    )


def _time(seconds: int) -> str:
    """Return a time of the node's clock as text; it may be out of range."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return "an unknown time"
