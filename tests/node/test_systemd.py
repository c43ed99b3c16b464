"""The output of `systemctl show`: time spans, and how long a unit may take to start."""

from __future__ import annotations

import pytest

from fleet.node.script import Reply
from fleet.node.systemd import time_span, unit_state

SPANS = {
    "1min 30s": 90,
    "5min": 300,
    "2h 500ms": 7200.5,
    "infinity": 0,
    "": 0,
    "9 lives": 0,
}


@pytest.mark.parametrize(("text", "seconds"), SPANS.items())
def test_a_time_span(text: str, seconds: float) -> None:
    assert time_span(text) == seconds


STARTS = {
    "containerd": ("notify", "1min 30s", 90),
    "a server of k3s": ("notify", "infinity", 300),
    "a deadline of the administrator": ("notify", "10min", 600),
    "beyond the bounds": ("notify", "1d", 900),
    "an agent of k3s": ("exec", "infinity", 0),
    "a plain program": ("simple", "1min 30s", 0),
    "a newer way to say it": ("notify-reload", "2min", 120),
    "no number": ("notify", "soon", 0),
}


@pytest.mark.parametrize(("kind", "timeout", "seconds"), STARTS.values(), ids=STARTS)
def test_how_long_a_unit_may_take_to_start(kind: str, timeout: str, seconds: int) -> None:
    text = f"ActiveState=active\nType={kind}\nTimeoutStartUSec={timeout}\n"

    assert unit_state(text, Reply([])).start_seconds == seconds


def test_a_unit_that_systemd_does_not_know() -> None:
    state = unit_state("", Reply([]))

    assert (state.load, state.running, state.start_seconds) == ("not-found", False, 0)
