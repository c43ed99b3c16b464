"""The settling of a change that is in force: confirm it, revert it, or read its state."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import Liveness
from fleet.node.bundle import identity
from fleet.node.run_script import failure_of, run_script
from fleet.node.script import Reply, Script
from fleet.node.verify.liveness import parse_liveness
from fleet.node.work_order import WorkOrder
from fleet.ssh import Remote, connect

_PAUSE = 1
"""Seconds between two tries on a node that is unreachable or still busy."""


UNDONE = frozenset({"armed", "reverting"})
"""States of a change that is not in force; its guard or fleet reverts it."""


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """The status of a change as its node reports it, with the failure if there is one.

    `state` is what the change is, `ended` what the script did: confirmed, rolled_back, degraded,
    released, not_pending, not_ours, looked or failed.
    """

    ended: str
    state: str = ""
    reason: str = ""
    held_by: str = ""
    failure: Failure | None = None
    pending: str = ""
    strange: str = ""
    """A file of a confirmed change that was edited since."""
    lock: tuple[str, ...] = field(default=())
    liveness: Liveness | None = None
    ill: str = ""
    held: bool = False
    """Whether the rollout's lock stays on the node after a revert that did not succeed."""


def settle_script(order: WorkOrder, mode: str) -> Script:
    """Return the script that reads a change, confirms it, reverts it or releases the lock."""
    plan = order.plan
    variables = {
        **identity(order),
        "MODE": mode,
        "UNIT": plan.daemon.unit,
        "SOCKET": plan.daemon.socket,
        "CRICTL": "1" if plan.daemon.crictl else "0",
        "HEALTH_SECONDS": str(order.deadlines.health),
    }
    seconds = 60 if mode in {"look", "release"} else order.deadlines.settle
    return Script("settle", variables, seconds)


def parse_change_status(reply: Reply) -> ChangeStatus:
    """Read the status of a change."""
    return ChangeStatus(
        ended=reply.value("status"),
        state=reply.value("standing").split(" ")[0],
        reason=reply.value("why"),
        held_by=tail(reply.value("told")),
        failure=failure_of(reply),
        pending=reply.value("pending"),
        strange=tail(reply.value("strange"), 1),
        lock=tuple(reply.value("lock").splitlines()),
        liveness=parse_liveness(reply),
        ill=tail(reply.value("ill"), 1),
        held=reply.has("held"),
    )


def settle(order: WorkOrder, mode: str, remote: Remote | None = None) -> ChangeStatus:
    """Run one mode over `remote`, or over a new connection if it is None; raise a NodeError."""
    privilege = order.access.for_node(order.plan.node)
    script = settle_script(order, mode)
    if remote is not None:
        return parse_change_status(run_script(remote, script, privilege))
    with connect(order.plan.node, order.access.ssh) as fresh:
        return parse_change_status(run_script(fresh, script, privilege))


def settle_after(order: WorkOrder, mode: str, first: Callable[[Remote], None]) -> ChangeStatus:
    """Open a connection, call `first` with it, then run one mode over it."""
    with connect(order.plan.node, order.access.ssh) as remote:
        first(remote)
        return settle(order, mode, remote)


def settle_with_retries(
    order: WorkOrder, mode: str, seconds: float, first: Callable[[Remote], None] | None = None
) -> ChangeStatus:
    """Retry until the node answers and no script runs there; raise a NodeError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        try:
            change = settle_after(order, mode, first) if first else settle(order, mode)
        except NodeError as error:
            if not _may_recover(error.failure) or time.monotonic() > until:
                raise
        else:
            busy = change.state == "applying" or _failed_with(change, FailureKind.LOCKED)
            if not busy or time.monotonic() > until:
                return change
        time.sleep(_PAUSE)


def _failed_with(change: ChangeStatus, kind: FailureKind) -> bool:
    return change.failure is not None and change.failure.kind is kind


def _may_recover(failure: Failure) -> bool:
    """Return whether a retry may help: the node was unreachable, or its reply was cut."""
    kinds = {FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.PROTOCOL, FailureKind.AUTH}
    return failure.kind in kinds


def read_change_status(order: WorkOrder) -> ChangeStatus | Failure:
    """Read the state of a node's change and lock; change nothing."""
    try:
        return settle(order, "look")
    except NodeError as error:
        return error.failure


def unlock(order: WorkOrder) -> ChangeStatus | Failure:
    """Revert the rollout's unconfirmed change on a node, then release the node's lock."""
    try:
        change = settle(order, "look")
        if change.state in {*UNDONE, "swapped"}:
            change = settle(order, "revert")
            if change.ended != "rolled_back":
                return change
        return settle(order, "release")
    except NodeError as error:
        return error.failure
