"""The policy of a rollout: its limits, and what a failure leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.rollout.batches import Limit
from fleet.core.rollout.control_plane import ControlPlaneLimit


class OnFailure(StrEnum):
    """What becomes of the nodes that are through when the budget is spent."""

    HALT = "halt"
    ROLLBACK_BATCH = "rollback-batch"
    ROLLBACK_ALL = "rollback-all"


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a rollout goes, and how many nodes are worked on at once."""

    max_failures: int = 0
    limits: tuple[Limit, ...] = ()
    excused_nodes: frozenset[str] = frozenset()
    """Nodes whose failure was accepted before the start: by --skip-unreachable, and those of a
    rollback that were ill before it or have nothing to go back to."""
    on_failure: OnFailure = OnFailure.HALT
    pause: float = 0
    """Seconds between two batches; after them the batch's nodes are asked for health again."""
    parallel: int = 64
    quorum: ControlPlaneLimit = field(default_factory=ControlPlaneLimit)
    """The control plane's nodes; they are never unavailable together, whatever the limits say."""
