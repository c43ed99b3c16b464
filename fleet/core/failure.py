"""Failures of the work on a node, and the exception that carries one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from fleet.errors import shortened

FIX_BY_HAND = "correct it on the node, then run the command again"


OVERRIDE_REMEDY = "remove that setting for this node (overrides in mirrors.yaml)"


class FailureKind(StrEnum):
    """The kinds of failures, a closed set. Code decides by the kind; messages are for people."""

    CONNECT = "connect"
    HOST_KEY = "host_key"
    AUTH = "auth"
    TIMEOUT = "timeout"
    SUDO = "sudo"
    PROTOCOL = "protocol"
    UNSUPPORTED = "unsupported"
    CONFLICT = "conflict"
    LOCKED = "locked"
    STALE = "stale"
    UPLOAD = "upload"
    STORAGE = "storage"
    VALIDATE = "validate"
    RESTART = "restart"
    HEALTH = "health"
    VERIFY = "verify"
    REVERT = "revert"
    GUARD = "guard"
    BUDGET = "budget"
    UNSTAGED = "unstaged"
    WORKLOADS = "workloads"
    DRAIN = "drain"
    NO_GENERATION = "no_generation"
    CLUSTER = "cluster"
    WORKER = "worker"
    BUG = "bug"

    @property
    def unreachable(self) -> bool:
        """Return whether the node did not answer on the network."""
        return self is FailureKind.CONNECT

    @property
    def no_access(self) -> bool:
        """Return whether the node answers, but fleet does not trust it or may not work on it."""
        return self in {FailureKind.HOST_KEY, FailureKind.AUTH, FailureKind.SUDO}


class Step(StrEnum):
    """The steps of the work on a node, a closed set: where it is, or where it failed.

    A script that does not start fails at the step that has its name.
    """

    CONNECT = "connect"
    RUN = "run"
    """The connection broke, or the node was silent, while a command ran."""
    READ = "read"
    """Parsing what a node wrote: no record of fleet's scripts, or one with an unknown step."""
    FORWARD = "forward"
    RELAY = "relay"
    SUDO = "sudo"
    PROBE = "probe"
    MIRRORS = "mirrors"
    SELFTEST = "selftest"
    EXPLAIN = "explain"
    AUDIT = "audit"
    PLAN = "plan"
    LOCK = "lock"
    GUARD = "guard"
    CHECK = "check"
    UPLOAD = "upload"
    UNPACK = "unpack"
    VALIDATE = "validate"
    STAGE = "stage"
    KEEP = "keep"
    ARM = "arm"
    SWAP = "swap"
    RESTART = "restart"
    HEALTH = "health"
    LIVENESS = "liveness"
    SWAPPED = "swapped"
    ACTIVATE = "activate"
    READ_BACK = "read_back"
    VERIFY = "verify"
    CORDON = "cordon"
    DRAIN = "drain"
    SOAK = "soak"
    CONFIRM = "confirm"
    PAUSE = "pause"
    RECHECK = "recheck"
    REVERT = "revert"
    REVERTED = "reverted"
    RESTORED = "restored"
    SETTLE = "settle"
    """After such a failure the node's state is unknown until the node is read."""
    RELEASE = "release"
    REMOVE = "remove"
    GATE = "gate"
    """A gate of the cluster, before or after a batch."""
    CLUSTER = "cluster"
    WORKER = "worker"
    BUG = "bug"

    @property
    def reported(self) -> bool:
        """Return whether the scripts on a node report this step."""
        return self in _REPORTED


_REPORTED = frozenset(
    {
        *(Step.LOCK, Step.GUARD, Step.CHECK, Step.UPLOAD, Step.UNPACK, Step.VALIDATE, Step.STAGE),
        *(Step.KEEP, Step.ARM, Step.SWAP, Step.RESTART, Step.HEALTH, Step.LIVENESS, Step.SWAPPED),
        *(Step.ACTIVATE, Step.SOAK, Step.CONFIRM, Step.PAUSE, Step.RECHECK, Step.REVERT),
        *(Step.REVERTED, Step.SETTLE, Step.RELEASE, Step.REMOVE),
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why work on a node ended early.

    `message` says what happened and where, `remedy` what to do, as an imperative without a capital
    and a full stop. `evidence` is the last lines of output, `address` the sshd (user@host:port)
    that could not be used; both differ from node to node, so the message repeats neither. A
    failure in the journal of an older release has no remedy; its message ends with what to do.
    """

    kind: FailureKind
    step: Step
    message: str
    remedy: str
    evidence: str = ""
    address: str = ""

    @property
    def cause(self) -> tuple[FailureKind, Step, str, str]:
        """Return what failed and what to do, without what differs from node to node."""
        return self.kind, self.step, self.message, self.remedy


def reported_failure(
    kind: FailureKind, step: str, message: str, remedy: str, evidence: str
) -> Failure:
    """Return a failure that a script or a journal of any release reports.

    A step that is unknown here is kept in the evidence; what failed matters more than where.
    """
    try:
        return Failure(kind, Step(step), message, remedy, evidence)
    except ValueError:
        unknown = f"the step is unknown to this fleet: {step}"
        return Failure(kind, Step.READ, message, remedy, f"{evidence}\n{unknown}".strip())


class NodeError(Exception):
    """Ends the work on one node early; it is caught in one place, which returns its failure."""

    def __init__(
        self, kind: FailureKind, step: Step, message: str, remedy: str, evidence: str = ""
    ) -> None:
        self.failure = Failure(kind, step, shortened(message), shortened(remedy), evidence)
        super().__init__(self.failure.message)

    def at(self, address: str) -> NodeError:
        """Return the error with the address of the sshd, unless it has one already."""
        if not self.failure.address:
            self.failure = replace(self.failure, address=address)
        return self
