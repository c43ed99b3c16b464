"""Liveness: how a script told whether the daemon reads its folder of hosts.toml."""

from __future__ import annotations

from fleet.core.outcome import FailureKind, Liveness, NodeError
from fleet.core.text import tail
from fleet.node.shell import Reply

_STATES = {"live", "deaf", "unasked"}


def parse_liveness(reply: Reply) -> Liveness | None:
    """Read what the daemon was heard to say; None where nobody asked it."""
    if not reply.has("liveness"):
        return None
    state, *times = reply.value("liveness").split()
    try:
        begin, end = (float(each) for each in times)
    except ValueError as error:
        raise NodeError(FailureKind.PROTOCOL, "liveness", "no time of the question") from error
    if state not in _STATES:
        raise NodeError(FailureKind.PROTOCOL, "liveness", f"an unknown answer: {tail(state)}")
    said = reply.value("liveness_said").rpartition("failed to do request: ")[2]
    return Liveness(state, round(end - begin, 2), tail(said, 1))
