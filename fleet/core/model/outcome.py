"""The outcome of the work on a node: its status, its failure, and the evidence of its pulls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from fleet.core.failure import Failure


class NodeStatus(StrEnum):
    """The state of a node in a rollout; those in flight are never final ones."""

    PENDING = "pending"
    STAGING = "staging"
    STAGED = "staged"
    RUNNING = "running"
    CHECKING = "checking"
    REVERTING = "reverting"
    UNCHANGED = "unchanged"
    CONVERGED = "converged"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    STALE = "stale"
    DEGRADED = "degraded"

    @property
    def failed(self) -> bool:
        """Say whether a node in this state counts against the budget."""
        return self in _FAILED

    @property
    def in_flight(self) -> bool:
        """Say whether somebody works on a node in this state."""
        return self in _IN_FLIGHT

    @property
    def shown(self) -> NodeStatus:
        """Return what users see: a staged node was never started."""
        return NodeStatus.PENDING if self in {NodeStatus.STAGING, NodeStatus.STAGED} else self


_IN_FLIGHT = {
    NodeStatus.STAGING,
    NodeStatus.RUNNING,
    NodeStatus.CHECKING,
    NodeStatus.REVERTING,
}


_FAILED = {
    NodeStatus.ROLLED_BACK,
    NodeStatus.FAILED,
    NodeStatus.UNREACHABLE,
    NodeStatus.STALE,
    NodeStatus.DEGRADED,
}


def is_success(said: str) -> bool:
    """Say whether a host's answer was a yes: its status, or why there was none."""
    return said.startswith("2")


@dataclass(frozen=True, slots=True)
class HostAttempt:
    """One host that was asked: for the name (resolve), a manifest or a blob; and what it said."""

    host: str
    what: str
    response: str

    @property
    def good(self) -> bool:
        """Say whether it gave what it was asked for."""
        return is_success(self.response)


class Served(StrEnum):
    """Who gave an image's bytes, as far as the evidence decides it."""

    MIRROR = "mirror"
    UPSTREAM = "upstream"
    PRESENT = "already there"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict of one verification pull: by what means, and which mirror served if known.

    `size` counts the bytes that travelled for the evidence; `evidence` says what decided.
    """

    image: str
    ok: bool
    via: str
    mirror: str | None = None
    seconds: float = 0.0
    detail: str = ""
    served: Served = Served.UNKNOWN
    size: int = 0
    digest: str | None = None
    attempts: tuple[HostAttempt, ...] = ()
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether the running daemon reads its folder of hosts.toml: live, deaf or unasked.

    `seconds` is how long the question took on the node, `said` what CRI answered to it.
    """

    state: str
    seconds: float = 0.0
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOutcome:
    """The end of one node's pass."""

    node: str
    status: NodeStatus
    strategy: str | None = None
    containerd: str | None = None
    changed: bool = False
    restarted: bool = False
    generation: str | None = None
    verified: tuple[Verified, ...] = ()
    liveness: Liveness | None = None
    failure: Failure | None = None
    seconds: float = 0.0
    unproven: tuple[str, ...] = ()
    """Registries that were changed, and that no verification pull has proven."""
    held: bool = False
    """Whether the rollout's lock is still on the node, as far as is known."""

    def after(self, before: NodeOutcome | None) -> NodeOutcome:
        """Return it with what an earlier pass has seen: asked again, a node pulls nothing anew."""
        if before is None or before.status is not NodeStatus.CONVERGED:
            return self
        return replace(
            self,
            restarted=self.restarted or before.restarted,
            verified=self.verified or before.verified,
            unproven=self.unproven or before.unproven,
            liveness=self.liveness or before.liveness,
            seconds=round(before.seconds + self.seconds, 2),
        )
