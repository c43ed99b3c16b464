"""Failures of the work on a node, and the exception that carries one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.errors import shortened

FIX_BY_HAND = "fix it by hand first"


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
    NO_GENERATION = "no_generation"
    WORKER = "worker"
    BUG = "bug"

    @property
    def unreachable(self) -> bool:
        """Return whether fleet never got a working connection to the node."""
        return self in {FailureKind.CONNECT, FailureKind.HOST_KEY, FailureKind.AUTH}


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why work on a node ended early.

    `message` says what happened and where, `remedy` what to do, as an imperative without a capital
    and a full stop. `evidence` is the last lines of output. A failure in the journal of an older
    release has no remedy; its message ends with what to do.
    """

    kind: FailureKind
    step: str
    message: str
    remedy: str
    evidence: str = ""


class NodeError(Exception):
    """Ends the work on one node early; it is caught in one place, which returns its failure."""

    def __init__(
        self, kind: FailureKind, step: str, message: str, remedy: str, evidence: str = ""
    ) -> None:
        self.failure = Failure(kind, step, shortened(message), shortened(remedy), evidence)
        super().__init__(self.failure.message)
