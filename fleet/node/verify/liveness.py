"""Liveness: whether the daemon reads its hosts directory, as a script reported it."""

from __future__ import annotations

from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import Liveness
from fleet.node.script import Reply, protocol_error, timestamp

_STATES = {"live", "deaf", "unasked"}


def parse_liveness(reply: Reply) -> Liveness | None:
    """Read the liveness of the daemon; None if the script did not check it."""
    if not reply.has("liveness"):
        return None
    state, begin, end = [*reply.value("liveness").split(), "", "", ""][:3]
    seconds = timestamp(end) - timestamp(begin)
    if state not in _STATES:
        raise protocol_error(f"an unknown liveness, {tail(state, 1)}")
    output = reply.value("liveness_said").rpartition("failed to do request: ")[2]
    return Liveness(state, round(seconds, 2), tail(output, 1))
