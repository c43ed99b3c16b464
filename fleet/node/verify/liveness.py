"""Liveness: whether the daemon reads its hosts directory, as a script reported it."""

from __future__ import annotations

from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import Liveness, LivenessState
from fleet.node.script import Reply, parse_member, timestamp


def parse_liveness(reply: Reply) -> Liveness | None:
    """Read the liveness of the daemon; None if the script did not check it."""
    if not reply.has("liveness"):
        return None
    state, begin, end = [*reply.value("liveness").split(), "", "", ""][:3]
    seconds = timestamp(end) - timestamp(begin)
    output = reply.value("liveness_said").rpartition("failed to do request: ")[2]
    return Liveness(
        parse_member(LivenessState, state, "liveness"), round(seconds, 2), tail(output, 1)
    )
