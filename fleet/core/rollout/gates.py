"""The decisions of the cluster's gates: before a batch begins, and after it has soaked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.failure import Failure


class GateTime(StrEnum):
    """The time at which a gate is asked about a batch."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """The decision of a gate about a batch.

    `notes` are shown and journaled. A `held` node of the batch is not changed and ends as failed;
    if it is `excused`, it does not count against the budget. A `flagged` node has converged, but
    something is wrong with it since: it counts against the budget. An `unavailable` node of the
    fleet counts against the max_unavailable of its groups. `halt` ends the rollout before any
    other node is changed. `waited` are the seconds for which the gate waited.
    """

    notes: tuple[str, ...] = ()
    held: Mapping[str, Failure] = field(default_factory=dict)
    excused: frozenset[str] = frozenset()
    flagged: Mapping[str, Failure] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    halt: Failure | None = None
    waited: float = 0.0
