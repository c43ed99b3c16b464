"""The reply of the activation script."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.core.failure import Failure, Step
from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import Liveness
from fleet.node.run_script import failure_of
from fleet.node.script import Reply, parse_member
from fleet.node.verify.liveness import parse_liveness
from fleet.node.work_order import WorkOrder


class Ending(StrEnum):
    """The ending of a script that stages or activates a change."""

    STAGED = "staged"
    UNSTAGED = "unstaged"
    SWAPPED = "swapped"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UNSETTLED = "unsettled"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of a script on the node: its ending, and whether it restarted the daemon."""

    ending: Ending
    failure: Failure | None
    restarted: bool
    liveness: Liveness | None = None
    unhealthy: str = ""
    """The reason why the restored node is unhealthy; the state was unhealthy when it was saved."""
    held: bool = False


def parse_applied(reply: Reply, order: WorkOrder) -> Applied:
    """Read the ending from a reply; raise a NodeError (protocol) for an unknown ending."""
    ending = parse_member(Ending, reply.value("status"), "status")
    steps = {text.split(" ")[0] for text in reply.texts("step")}
    restarted = order.restarts and Step.RESTART in steps
    return Applied(
        ending,
        failure_of(reply),
        restarted,
        parse_liveness(reply),
        unhealthy=tail(reply.value("ill"), 1),
        held=reply.has("held"),
    )
