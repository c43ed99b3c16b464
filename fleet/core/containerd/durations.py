"""Durations as Go's time.ParseDuration reads them, such as 1m30s."""

from __future__ import annotations

import re
from fractions import Fraction

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


_LONGEST = 64


_MOST = (1 << 63) - 1


def nanoseconds(text: str) -> int | None:
    """Return the length of a duration in nanoseconds; None if Go refuses the text."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest or len(rest) > _LONGEST:
        return None
    at, total = 0, Fraction(0)
    while at < len(rest):
        part = _PART.match(rest, at)
        if part is None:
            return None
        total += (
            Fraction(f"0{part[1]}" if part[1].startswith(".") else part[1].rstrip("."))
            * _UNITS[part[2]]
        )
        at = part.end()
    return sign * int(total) if total <= _MOST else None
