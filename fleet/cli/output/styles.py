"""The colors of states, the only table of them."""

from __future__ import annotations

_GREEN = (
    "in sync", "unchanged", "converged", "finished", "ok", "known", "served",
    "added", "released", "live",
)  # fmt: skip
_YELLOW = (
    "outdated", "drifted", "unconfirmed", "rolled back", "stale", "halted", "interrupted",
    "skipped", "unknown", "certified", "slow", "edited", "extra", "missing", "running",
)  # fmt: skip
_RED = (
    "unhealthy", "conflict", "no access", "unreachable", "failed",
    "changed", "revoked", "not reading", "not_reading",
)  # fmt: skip

_STYLES = {
    **dict.fromkeys(_GREEN, "green"),
    **dict.fromkeys(_YELLOW, "yellow"),
    **dict.fromkeys(_RED, "red"),
    "degraded": "bold red",
    "unmanaged": "cyan",
    "mirror": "yellow",
    "pending": "dim",
}
STATE_COLUMNS = frozenset({"STATE", "STATUS", "DRIFT", "RESULT"})
"""The columns of tables whose cells are states."""


def state_style(state: str) -> str:
    """Return the color of a state: green is good, yellow needs attention, red needs work."""
    lower = state.lower()
    return _STYLES.get(lower) or _STYLES.get(lower.partition(" ")[0], "")
