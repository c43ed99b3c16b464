"""The outcome of the work on a node: its status, its failure, and the evidence of its pulls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from fleet.core.failure import Failure, FailureKind, Step


class NodeStatus(StrEnum):
    """The status of a node in a rollout; a status in flight is never final."""

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
    NO_ACCESS = "no_access"
    STALE = "stale"
    DEGRADED = "degraded"

    @property
    def words(self) -> str:
        """Return the status as people read it; JSON and the journal have the value."""
        return self.value.replace("_", " ")

    @property
    def failed(self) -> bool:
        """Return whether a node in this status counts against the budget."""
        return self in _FAILED

    @property
    def in_flight(self) -> bool:
        """Return whether a worker is busy with a node in this status."""
        return self in _IN_FLIGHT

    @property
    def not_begun(self) -> bool:
        """Return whether nothing was changed yet on a node in this state."""
        return self in {NodeStatus.PENDING, NodeStatus.STAGING, NodeStatus.STAGED}

    @property
    def changing(self) -> bool:
        """Return whether a node in this state is being changed; staging changes nothing."""
        return self.in_flight and self is not NodeStatus.STAGING

    @property
    def shown(self) -> NodeStatus:
        """Return the status that users see; to them a staged node is still pending."""
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
    NodeStatus.NO_ACCESS,
    NodeStatus.STALE,
    NodeStatus.DEGRADED,
}


def unworked_status(kind: FailureKind) -> NodeStatus:
    """Return the status of a node on which no work has begun because of a failure."""
    if kind.unreachable:
        return NodeStatus.UNREACHABLE
    return NodeStatus.NO_ACCESS if kind.no_access else NodeStatus.FAILED


def is_success(said: str) -> bool:
    """Return whether a response is a success; it is an HTTP status, or why there was none."""
    return said.startswith("2")


@dataclass(frozen=True, slots=True)
class HostAttempt:
    """A request to a registry host for a name (resolve), a manifest or a blob, and its response."""

    host: str
    what: str
    response: str

    @property
    def good(self) -> bool:
        """Return whether the host served the request."""
        return is_success(self.response)


class Served(StrEnum):
    """The source of an image's bytes, as far as the evidence shows it."""

    MIRROR = "mirror"
    UPSTREAM = "upstream"
    PRESENT = "already there"
    UNKNOWN = "unknown"


class PullClient(StrEnum):
    """The client that pulled an image on a node."""

    CRICTL = "crictl"
    CRI = "cri"
    """The workstation itself, by gRPC to the node's CRI socket."""
    CTR = "ctr"
    KUBELET = "kubelet"
    """kubelet, for a pod that was created for the pull."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of one verification pull: the client, and the mirror that served it if known.

    `size` is the number of bytes that were transferred for the evidence. `evidence` names the
    evidence that decided.
    """

    image: str
    ok: bool
    via: PullClient
    mirror: str | None = None
    seconds: float = 0.0
    detail: str = ""
    served: Served = Served.UNKNOWN
    size: int = 0
    digest: str | None = None
    attempts: tuple[HostAttempt, ...] = ()
    evidence: str = ""


class LivenessState(StrEnum):
    """The state of the hosts directory for the running daemon."""

    LIVE = "live"
    NOT_READING = "not_reading"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Liveness:
    """The liveness of the hosts directory: whether the running daemon reads it.

    `seconds` is how long the check took on the node, `output` what CRI answered.
    """

    state: LivenessState
    seconds: float = 0.0
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainResult:
    """The cordon and the drain of a node for its change."""

    cordoned: bool = False
    """Whether fleet cordoned it."""
    drained: bool = False
    evicted: tuple[str, ...] = ()
    """The pods that were evicted, each with its namespace."""
    seconds: float = 0.0
    kept_cordon: bool = False
    """Whether the node had a cordon that is not fleet's, which stays."""
    still_cordoned: bool = False
    """Whether fleet's own cordon is still on the node, as far as is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOutcome:
    """The result of the work on one node."""

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
    """Registries that were changed and that no verification pull has checked."""
    held: bool = False
    """Whether the rollout's lock is still on the node, as far as is known."""
    drain: DrainResult | None = None
    """None if the node was neither cordoned nor drained."""
    unhealthy: str = ""
    """The reason why an unchanged node is unhealthy, which is not this rollout's failure."""

    @property
    def flagged(self) -> bool:
        """Return whether a gate found something wrong with a converged node.

        A node restored to a state in which it was unhealthy has a failure as well, of another step.
        """
        failure = self.failure
        return self.status is NodeStatus.CONVERGED and (
            failure is not None and failure.step is Step.GATE
        )

    def after(self, before: NodeOutcome | None) -> NodeOutcome:
        """Return the outcome with the evidence of an earlier one; a recheck does not pull again."""
        if before is None or before.status is not NodeStatus.CONVERGED:
            return self
        return replace(
            self,
            restarted=self.restarted or before.restarted,
            verified=self.verified or before.verified,
            unproven=self.unproven or before.unproven,
            liveness=self.liveness or before.liveness,
            drain=self.drain or before.drain,
            seconds=round(before.seconds + self.seconds, 2),
        )
