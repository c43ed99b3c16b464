"""Liveness: how a script told whether the daemon reads its folder of hosts.toml."""

from __future__ import annotations

from fleet.core.outcome import Liveness
from fleet.core.text import tail
from fleet.node.shell import Reply, stranger

_STATES = {"live", "deaf", "unasked"}


def parse_liveness(reply: Reply) -> Liveness | None:
    """Read what the daemon was heard to say; None where nobody asked it."""
    if not reply.has("liveness"):
        return None
    state, *times = reply.value("liveness").split()
    try:
        begin, end = (float(each) for each in times)
    except ValueError as error:
        raise stranger("no time of its liveness") from error
    if state not in _STATES:
        raise stranger(f"an unknown liveness, {tail(state, 1)}")
    said = reply.value("liveness_said").rpartition("failed to do request: ")[2]
    return Liveness(state, round(end - begin, 2), tail(said, 1))
