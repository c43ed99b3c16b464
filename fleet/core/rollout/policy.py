"""The policy of a rollout: its limits, and what happens after failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.rollout.batches import Limit
from fleet.core.rollout.control_plane import ControlPlaneLimit


class OnFailure(StrEnum):
    """The treatment of converged nodes when the failure budget is spent."""

    HALT = "halt"
    ROLLBACK_BATCH = "rollback-batch"
    ROLLBACK_ALL = "rollback-all"


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of a rollout: its failure budget, and the number of nodes in flight at once."""

    max_failures: int = 0
    limits: tuple[Limit, ...] = ()
    excused_nodes: frozenset[str] = frozenset()
    """Nodes whose failure was accepted before the start: by --skip-unreachable, and nodes of a
    rollback that were unhealthy before it or have no state to go back to."""
    on_failure: OnFailure = OnFailure.HALT
    pause: float = 0
    """Seconds between two batches; then the health of the batch's nodes is checked again."""
    parallel: int = 64
    control_plane: ControlPlaneLimit = field(default_factory=ControlPlaneLimit)
    """The limit on unavailable control plane nodes; it applies in addition to the other limits."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Nodes that a gate found unavailable, and why; they count against the groups' limits."""
