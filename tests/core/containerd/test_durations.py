"""Durations: what Go's time.ParseDuration makes of each text, written down by it."""

from __future__ import annotations

import pytest

from fleet.core.containerd.durations import nanoseconds

BY_GO = {
    "3s": 3 * 10**9,
    "1h2m": 3720 * 10**9,
    "1.5s": 1500 * 10**6,
    "1.s": 10**9,
    ".5s": 500 * 10**6,
    "-1s": -(10**9),
    "+1s": 10**9,
    "0": 0,
    "-0": 0,
    "1\u00b5s": 1000,
    "1\u03bcs": 1000,
    "1ms1us": 1001 * 10**3,
    "2562047h": 2562047 * 3600 * 10**9,
    "2562048h": None,
    "99999999999h": None,
    "": None,
    "3": None,
    "1d": None,
    "s": None,
    ".s": None,
    ".": None,
    "-": None,
    "1s ": None,
    "1S": None,
    "1 s": None,
    "+-1s": None,
    "00": None,
}


@pytest.mark.parametrize(("text", "length"), BY_GO.items())
def test_durations_are_those_of_go(text: str, length: int | None) -> None:
    assert nanoseconds(text) == length


def test_a_long_text_costs_nothing() -> None:
    assert nanoseconds("1" * 1_000_000) is None
