"""Failures, and the one exception that work on a node may raise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.errors import shortened


class FailureKind(StrEnum):
    """What went wrong, as a closed set; messages are for people, kinds for decisions."""

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
        """Say whether fleet never got a working connection to the node."""
        return self in {FailureKind.CONNECT, FailureKind.HOST_KEY, FailureKind.AUTH}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a node's pass ended early: what, at which step, and the last lines of evidence."""

    kind: FailureKind
    step: str
    message: str
    evidence: str = ""


class NodeError(Exception):
    """Leaves nested steps of one node's pass early; caught at one place and made a value."""

    def __init__(self, kind: FailureKind, step: str, message: str, evidence: str = "") -> None:
        self.failure = Failure(kind, step, shortened(message), evidence)
        super().__init__(self.failure.message)
