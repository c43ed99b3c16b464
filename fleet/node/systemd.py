"""The output of `systemctl show`: its properties, its time spans, and the state of a unit."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fleet.core.model.facts import UnitState
from fleet.node.script import Reply, number, timestamp


def properties(text: str) -> dict[str, str]:
    """Parse lines of the form key=value."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, mark, value in pairs if mark}


def unit_state(text: str, reply: Reply) -> UnitState:
    """Return the state of the daemon's unit."""
    found = properties(text)
    return UnitState(
        load=found.get("LoadState", "not-found"),
        active=found.get("ActiveState", "inactive"),
        sub=found.get("SubState", "dead"),
        main_pid=number(found.get("MainPID", "")),
        restarts=number(found.get("NRestarts", "")),
        started=_start_time(found, reply),
        kill_mode=found.get("KillMode", ""),
        delegate=found.get("Delegate", ""),
        start_seconds=_start_seconds(found),
    )


def _start_seconds(found: Mapping[str, str]) -> int:
    """Return the unit's own deadline for a start, within bounds; 0 if it starts at once."""
    if found.get("Type", "") not in _STARTING:
        return 0
    text = found.get("TimeoutStartUSec", "")
    return _UNBOUNDED if text == "infinity" else min(round(time_span(text)), _LONGEST_START)


_STARTING = {"notify", "notify-reload", "forking", "dbus", "oneshot"}
"""The types of units whose restart waits until the service says that it has started."""


_UNBOUNDED = 300
"""The time for the start of a unit without a deadline, as those of k3s and RKE2 servers are."""


_LONGEST_START = 900


def _start_time(found: Mapping[str, str], reply: Reply) -> float | None:
    """Convert systemd's monotonic stamp into seconds since the epoch by the node's own clock."""
    stamp = number(found.get("ExecMainStartTimestampMonotonic", ""))
    if not stamp:
        return None
    return timestamp(reply.value("now")) - timestamp(reply.value("uptime")) + stamp / 1e6


def time_span(text: str) -> float:
    """Parse a time span as systemd writes it, such as `3min 20s`; return 0 for other text."""
    parts = [_SPAN.fullmatch(word) for word in text.split()]
    return sum(float(part[1]) * _UNITS[part[2]] for part in parts if part)


_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|min|h|d|w)")
_UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
