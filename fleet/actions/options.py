"""The options of a rollout or rollback, as the journal keeps them for a resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from fleet.core.rollout import defaults
from fleet.core.rollout.batches import parse_batches, parse_size
from fleet.core.rollout.policy import OnFailure
from fleet.errors import FleetError
from fleet.node.work_order import Deadlines

GATES = 5
"""Seconds that the guard must leave after the soak, for a new connection and the health gates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """The options for a node's files.

    `full_default` starts a missing config.toml from all defaults. `foreign` is what happens to
    files of other tools: adopt, keep or overwrite.
    """

    full_default: bool = False
    foreign: str = "adopt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutOptions:
    """The options of a rollout or rollback; each is the flag of the same name, times in seconds."""

    batch: str = defaults.BATCHES
    max_failures: str = defaults.MAX_FAILURES
    skip_unreachable: bool = False
    on_failure: str = OnFailure.HALT.value
    pause: float = 0
    soak: int = defaults.SOAK
    health_timeout: int = defaults.HEALTH
    guard: int = defaults.GUARD
    disrupt_workloads: bool = False
    no_verify: bool = False
    no_liveness: bool = False
    pull_timeout: int = defaults.PULL
    per_mirror: int = defaults.PER_MIRROR
    full_default: bool = False
    foreign: str = "adopt"
    rerun: tuple[str, str] | None = None
    to: str | None = None

    @property
    def deadlines(self) -> Deadlines:
        """Return the deadlines of the work on each node."""
        return Deadlines(
            health=self.health_timeout,
            pull=self.pull_timeout,
            soak=self.soak,
            guard=self.guard,
            per_mirror=self.per_mirror,
        )

    @property
    def render(self) -> RenderOptions:
        """Return the options for the files of the nodes."""
        return RenderOptions(full_default=self.full_default, foreign=self.foreign)

    def validate(self) -> None:
        """Raise a FleetError if an option cannot be read, or if two of them contradict."""
        parse_batches(self.batch)
        parse_size(self.max_failures, "--max-failures")
        OnFailure(self.on_failure)
        if 0 < self.guard < self.soak + GATES:
            least = self.soak + GATES
            raise FleetError(
                f"--guard {self.guard} is too short for --soak {self.soak}: nodes would take every"
                f" change back before it is confirmed; give --guard {least} or more"
            )

    def data(self) -> dict[str, Any]:
        """Return the options as the journal keeps them."""
        return asdict(self)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> RolloutOptions:
        """Read the options from the journal; ignore those that only another release knows."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})
