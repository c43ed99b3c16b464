"""The status of a change, as its node reports it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.core.failure import Failure
from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import Liveness
from fleet.node.run_script import failure_of
from fleet.node.script import Reply, parse_member
from fleet.node.verify.liveness import parse_liveness


class SettleEnding(StrEnum):
    """The ending of a script that settles a change; a revert ends as the guard does."""

    LOOKED = "looked"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled_back"
    UNSETTLED = "unsettled"
    DEGRADED = "degraded"
    NOT_PENDING = "not_pending"
    RELEASED = "released"
    NOT_OURS = "not_ours"
    REMOVED = "removed"
    FAILED = "failed"


class ChangeState(StrEnum):
    """The state of a change on its node."""

    UNTOUCHED = "untouched"
    ARMED = "armed"
    SWAPPED = "swapped"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    RESTORED = "restored"
    UNWELL = "unwell"
    """Reverted, and the daemon is unhealthy."""
    APPLYING = "applying"
    """A script works on the node now."""

    @property
    def undone(self) -> bool:
        """Return whether the change is not in force and will be reverted by its guard or fleet."""
        return self in {ChangeState.ARMED, ChangeState.REVERTING}

    @property
    def unconfirmed(self) -> bool:
        """Return whether the change is neither confirmed nor completely reverted."""
        return self is ChangeState.SWAPPED or self.undone


class RevertReason(StrEnum):
    """The reason why a change was reverted."""

    ASKED = "asked"
    FAILED = "failed"
    TIMER = "timer"
    BOOT = "boot"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStatus:
    """The status of a change, and the ending of the script that reported it.

    `state` and `reason` are None if the script did not report them. `lock` is the text of the
    rollout lock, `lock_holder` a description of its holder, `pending` the id of an unconfirmed
    change.
    """

    ending: SettleEnding
    state: ChangeState | None = None
    reason: RevertReason | None = None
    failure: Failure | None = None
    lock: tuple[str, ...] = ()
    lock_holder: str = ""
    pending: str = ""
    edited_file: str = ""
    """A file of a confirmed change that was edited since."""
    liveness: Liveness | None = None
    unhealthy: str = ""
    """The reason why the restored node is unhealthy; the state was unhealthy when it was saved."""
    undone: bool = False
    """True if an unconfirmed change was reverted to unlock the node."""
    held: bool = False
    """True if the rollout's lock stays on the node after a revert that did not succeed."""


def parse_change_status(reply: Reply) -> ChangeStatus:
    """Read the status of a change; raise a NodeError (protocol) for an unknown word."""
    state, reason = reply.value("standing").split(" ")[0], reply.value("why")
    return ChangeStatus(
        ending=parse_member(SettleEnding, reply.value("status"), "status"),
        state=parse_member(ChangeState, state, "state of a change") if state else None,
        reason=parse_member(RevertReason, reason, "reason of a revert") if reason else None,
        failure=failure_of(reply),
        lock=tuple(reply.value("lock").splitlines()),
        lock_holder=tail(reply.value("lock_description")),
        pending=reply.value("pending"),
        edited_file=tail(reply.value("strange"), 1),
        liveness=parse_liveness(reply),
        unhealthy=tail(reply.value("ill"), 1),
        held=reply.has("held"),
    )
