"""The settling of a change that is in force: confirm it, revert it, or read its state."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.plan.node_plan import state_after
from fleet.node.bundle import identity
from fleet.node.change_status import (
    ChangeState,
    ChangeStatus,
    SettleEnding,
    parse_change_status,
)
from fleet.node.run_script import run_script
from fleet.node.script import Script
from fleet.node.work_order import WorkOrder
from fleet.ssh import Remote, connect

KEPT_FOR = timedelta(days=90)
"""The age up to which a node keeps every generation.

Of older ones it keeps the newest 20 and the original.
"""


_CHECK = ".fleet-probe.invalid"
"""The end of the name of a liveness check's folder."""


_PAUSE = 1
"""Seconds between two tries on a node that is unreachable or still busy."""


class SettleMode(StrEnum):
    """The work of the script that settles a change."""

    LOOK = "look"
    CONFIRM = "confirm"
    RECHECK = "recheck"
    REVERT = "revert"
    RELEASE = "release"
    REMOVE = "remove"


def settle_script(order: WorkOrder, mode: SettleMode) -> Script:
    """Return the script that works on a change by `mode`."""
    plan = order.plan
    variables = {
        **identity(order),
        "MODE": str(mode),
        "UNIT": plan.daemon.unit,
        "SOCKET": plan.daemon.socket,
        "TOOLS": plan.daemon.tools,
        "CRICTL": "1" if plan.daemon.crictl else "0",
        "HEALTH_SECONDS": str(order.deadlines.health),
        "SINCE": f"{datetime.now(UTC) - KEPT_FOR:%Y%m%d}",
        "RECORD": _expected_record(order) if mode is SettleMode.REMOVE else "",
        "CHECKS": "\n".join(path for path in plan.removes if path.endswith(_CHECK)),
    }
    seconds = 60 if mode in {SettleMode.LOOK, SettleMode.RELEASE} else order.deadlines.settle
    return Script(Step.SETTLE, variables, seconds)


def _expected_record(order: WorkOrder) -> str:
    """Return the digest of fleet's record on the node before a removal; `-` for none."""
    plan = order.plan
    record = state_after(plan, order.rollout) if plan.changes else plan.files.state_before
    return record.digest if record is not None else "-"


def settle(order: WorkOrder, mode: SettleMode, remote: Remote | None = None) -> ChangeStatus:
    """Run one mode over `remote`, or over a new connection if it is None; raise a NodeError."""
    privilege = order.access.for_node(order.plan.node)
    script = settle_script(order, mode)
    if remote is not None:
        return parse_change_status(run_script(remote, script, privilege))
    with connect(order.plan.node, order.access.ssh) as fresh:
        return parse_change_status(run_script(fresh, script, privilege))


def settle_after(
    order: WorkOrder, mode: SettleMode, first: Callable[[Remote], None]
) -> ChangeStatus:
    """Open a connection, call `first` with it, then run one mode over it."""
    with connect(order.plan.node, order.access.ssh) as remote:
        first(remote)
        return settle(order, mode, remote)


def settle_with_retries(
    order: WorkOrder,
    mode: SettleMode,
    seconds: float,
    first: Callable[[Remote], None] | None = None,
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
            busy = change.state is ChangeState.APPLYING or _failed_with(change, FailureKind.LOCKED)
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
        return settle(order, SettleMode.LOOK)
    except NodeError as error:
        return error.failure


def unlock(order: WorkOrder) -> ChangeStatus | Failure:
    """Revert the rollout's unconfirmed change on a node, then release the node's lock.

    The result has the lock as it was before.
    """
    try:
        found = settle(order, SettleMode.LOOK)
        undo = found.state is not None and found.state.unconfirmed
        if undo:
            change = settle(order, SettleMode.REVERT)
            if change.ending is not SettleEnding.ROLLED_BACK:
                return change
        released = settle(order, SettleMode.RELEASE)
    except NodeError as error:
        return error.failure
    return replace(released, lock=found.lock, undone=undo)
