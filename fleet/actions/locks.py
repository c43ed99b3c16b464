"""The rollout locks of nodes: reading them, and breaking the lock of one rollout."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fleet.actions.journaling import operator, timestamp
from fleet.actions.session import Session
from fleet.core.failure import Failure
from fleet.core.history.rollout_ids import (
    UnknownRolloutError,
    ambiguous,
    find_ids,
    is_complete,
)
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.engine.workers.base import map_nodes
from fleet.errors import FleetError, HeldError, printable
from fleet.journal import Journal, is_there, running_process
from fleet.node import settle
from fleet.node.change_status import ChangeState, ChangeStatus
from fleet.node.settle import read_change_status
from fleet.node.work_order import WorkOrder

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_PATIENCE = 20
"""Seconds to wait for a script that runs on a node."""
_PAUSE = 2
"""Seconds between two looks at a node that is busy."""


def read_locks(nodes: Sequence[Node], session: Session) -> dict[str, ChangeStatus | Failure]:
    """Return the lock of each node, with its rollout, operator, purpose and time."""
    return _ask_nodes(nodes, session, "", read_change_status)


def unlock(
    nodes: Sequence[Node], rollout: str, session: Session
) -> dict[str, ChangeStatus | Failure]:
    """Break the lock of one rollout on nodes; revert its unconfirmed changes."""
    refuse_bad_id(rollout)
    return _ask_nodes(nodes, session, rollout, settle.unlock)


def locking_rollout(nodes: Sequence[Node], given: str, session: Session) -> str:
    """Return the whole ID of the rollout that `given` names among those that have locked nodes.

    A whole ID is returned as it is. So is `given` if some nodes did not answer: the release then
    reports why. Raise a FleetError if no lock fits, or several do.
    """
    if is_complete(given):
        return given
    results = read_locks(nodes, session).values()
    statuses = [result for result in results if isinstance(result, ChangeStatus)]
    names = {name for status in statuses for name in (*status.lock[:1], status.pending) if name}
    found = find_ids(given, sorted(names, reverse=True))
    if len(found) > 1:
        raise ambiguous(given, found)
    if not found and len(statuses) == len(results):
        raise UnknownRolloutError(
            f"no rollout {given!r} in the journal or in the locks of these nodes; `fleet locks`"
            " shows which rollout has locked a node"
        )
    return found[0] if found else given


def unlock_dead(
    nodes: Sequence[Node],
    rollout: str,
    session: Session,
    journal: Path,
    shown: Mapping[str, ChangeStatus | Failure] | None = None,
) -> dict[str, ChangeStatus | Failure]:
    """Break the lock of one rollout as `unlock` does; raise a HeldError if it is alive.

    `shown` are the locks on which the user has decided. The rollout may have been resumed since,
    so everything is checked again, and no resume can begin on this machine before the end.
    """
    with _not_resumed(rollout, journal):
        found = idle_locks(nodes, rollout, session)
        if shown is not None:
            _refuse_moved(rollout, shown, found)
        return unlock(nodes, rollout, session)


@contextmanager
def _not_resumed(rollout: str, journal: Path) -> Iterator[None]:
    """Hold the journal of a rollout that could be resumed, unless another one is running."""
    with ExitStack() as stack:
        if can_resume(rollout, journal):
            try:
                text = f"unlock of {rollout} by {operator()} since {timestamp()}"
                stack.enter_context(Journal(journal).held(text))
            except HeldError:
                refuse_running(rollout, journal)
        if (found := running_process(rollout)) is not None:
            raise _is_running(rollout, f"process {found[0]}: {found[1]}")
        yield


def _refuse_moved(
    rollout: str,
    before: Mapping[str, ChangeStatus | Failure],
    after: Mapping[str, ChangeStatus | Failure],
) -> None:
    """Raise a HeldError if the locks of a rollout are not those that the user was shown.

    Nodes that do not answer any more are left to the unlock, which reports them.
    """
    shown, now = held_by(rollout, before), held_by(rollout, after)
    read = [name for name, result in after.items() if isinstance(result, ChangeStatus)]
    if moved := [name for name in read if _mark(shown.get(name)) != _mark(now.get(name))]:
        raise HeldError(
            f"rollout {rollout} has moved on {compress(moved)} since the question. Its guard may"
            " have reverted a change, or the rollout runs again. Nothing was unlocked; run"
            " `fleet locks` to see the locks as they are now"
        )


def _mark(change: ChangeStatus | None) -> tuple[tuple[str, ...], str] | None:
    return (change.lock, change.pending) if change is not None else None


def refuse_running(rollout: str, journal: Path) -> None:
    """Raise a HeldError if a process on this machine still runs a rollout."""
    holder = Journal(journal, read_only=True).holder() if is_there(journal) else None
    if holder is not None and rollout in holder.split()[:2]:
        raise _is_running(rollout, holder)
    if (found := running_process(rollout)) is not None:
        number, text = found
        raise _is_running(rollout, f"process {number}: {text}")


def _is_running(rollout: str, where: str) -> HeldError:
    return HeldError(
        f"rollout {rollout} is still running on this machine ({printable(where)}). Wait for its"
        " end, or stop it with Ctrl-C. --force unlocks all the same"
    )


def idle_locks(
    nodes: Sequence[Node], rollout: str, session: Session, patience: float = _PATIENCE
) -> dict[str, ChangeStatus | Failure]:
    """Return the lock of each node once no script of a rollout runs there.

    A script goes on when its fleet has died, so wait for its end. Raise a HeldError if one still
    runs after `patience` seconds: its rollout may be alive on another machine.
    """
    until = time.monotonic() + patience
    found = read_locks(nodes, session)
    while busy := [name for name, change in held_by(rollout, found).items()
                   if change.state is ChangeState.APPLYING]:  # fmt: skip
        if time.monotonic() > until:
            raise HeldError(
                f"a script of rollout {rollout} is running on {compress(busy)}, so it may be"
                " running on another machine. Wait for its end; --force unlocks all the same"
            )
        session.ui.message(f"waiting for the script of rollout {rollout} on {compress(busy)}")
        time.sleep(_PAUSE)
        found |= read_locks([node for node in nodes if node.name in busy], session)
    return found


def held_by(rollout: str, found: Mapping[str, ChangeStatus | Failure]) -> dict[str, ChangeStatus]:
    """Return the nodes that a rollout has locked, or on which its change is unconfirmed."""
    return {
        name: change
        for name, change in found.items()
        if isinstance(change, ChangeStatus) and rollout in {*change.lock[:1], change.pending}
    }


def can_resume(rollout: str, journal: Path) -> bool:
    """Return whether the journal has a rollout with this ID that is not finished."""
    if not is_there(journal):
        return False
    entries = Journal(journal, read_only=True)
    return entries.knows(rollout) and entries.replayed(entries.rollout(rollout)).unfinished


def is_rollout_id(text: str) -> bool:
    """Return whether a text can be the id of a rollout."""
    return _ID.fullmatch(text) is not None


def refuse_bad_id(rollout: str) -> None:
    """Raise a FleetError if a text cannot be the id of a rollout."""
    if not is_rollout_id(rollout):
        raise FleetError(
            f"{rollout!r} is not a rollout ID; `fleet locks` shows which rollout has locked a node"
        )


def _ask_nodes(
    nodes: Sequence[Node],
    session: Session,
    rollout: str,
    work: Callable[[WorkOrder], ChangeStatus | Failure],
) -> dict[str, ChangeStatus | Failure]:
    """Do `work` on nodes; return the results in the order of `nodes`."""
    access = session.ready(nodes).access
    orders = [
        WorkOrder(
            plan=NodePlan(node=node),
            rollout=rollout,
            operator=operator(),
            access=access,
            purpose="unlock",
        )
        for node in nodes
    ]
    results = {order.node.name: result for order, result in map_nodes(work, orders, session.pool)}
    return {node.name: results[node.name] for node in nodes}
