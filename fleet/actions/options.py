"""The options of a rollout or rollback, as the journal keeps them for a resume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import inf
from typing import Any

from fleet.core.containerd.registry_url import folder_name, registry_problem
from fleet.core.history.audit import clean_message
from fleet.core.kubernetes.drain import DrainOptions
from fleet.core.kubernetes.gates import NotReady
from fleet.core.model.mirror import Foreign
from fleet.core.rollout import defaults
from fleet.core.rollout.batches import parse_batches, parse_size
from fleet.core.rollout.policy import OnFailure
from fleet.errors import FleetError
from fleet.node.work_order import Deadlines

RANGES = {
    "pause": (0, inf),
    "soak": (0, 600),
    "health_timeout": (1, 600),
    "guard": (0, 86400),
    "pull_timeout": (1, 3600),
    "per_mirror": (1, 1000),
    "drain_timeout": (1, 86400),
    "pod_grace": (1, 86400),
}
"""The least and the greatest value of the options that are numbers, as the flags take them."""


CHOICES = {
    "on_failure": tuple(choice.value for choice in OnFailure),
    "foreign": tuple(choice.value for choice in Foreign),
    "not_ready": tuple(choice.value for choice in NotReady),
}


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
    cordon: bool = False
    drain: bool = False
    drain_timeout: int = defaults.DRAIN
    pod_grace: int | None = None
    """The grace period of evicted pods; None for each pod's own."""
    drain_force: bool = False
    delete_emptydir_data: bool = False
    kube_context: str | None = None
    """The context of the nodes' cluster; None for what the inventory says."""
    not_ready: str = NotReady.IN_ORDER.value
    ready_lag: float = defaults.READY_LAG
    """The time by which a Node's condition Ready may lag behind a restart; a shorter --soak
    shortens it."""
    no_verify: bool = False
    no_liveness: bool = False
    pull_timeout: int = defaults.PULL
    per_mirror: int = defaults.PER_MIRROR
    full_default: bool = False
    foreign: str = "adopt"
    rerun: tuple[str, str] | None = None
    to: str | None = None
    message: str = ""
    """The reason for the change, for the journal and the audit logs of the nodes."""
    undoes: str | None = None
    """The rollout that an undo reverts."""
    with_later: bool = False
    registry: str | None = None
    """The only registry that a rollback or an undo restores; None for all."""
    keep_config: bool = False
    """Whether a removal leaves the registry config in place."""

    @property
    def registry_name(self) -> str | None:
        """Return the registry under the name that mirrors.yaml and certs.d use."""
        return None if self.registry is None else folder_name(self.registry.lower())

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

    @property
    def cordons(self) -> bool:
        """Return whether nodes are cordoned."""
        return self.cordon or self.drain

    @property
    def draining(self) -> DrainOptions | None:
        """Return the options of a drain; None if nodes are not drained."""
        if not self.drain:
            return None
        return DrainOptions(
            timeout=self.drain_timeout,
            grace=self.pod_grace,
            force=self.drain_force,
            delete_emptydir_data=self.delete_emptydir_data,
        )

    def validate(self) -> None:
        """Raise a FleetError if an option cannot be read, or if two of them contradict."""
        self._check_values()
        self._check_drain()
        parse_batches(self.batch)
        parse_size(self.max_failures, "--max-failures")
        if 0 < self.guard < self.soak + GATES:
            least = self.soak + GATES
            raise FleetError(
                f"--guard {self.guard} is too short for --soak {self.soak}: nodes would revert"
                f" every change before fleet confirms it. Use --guard {least} or more."
            )

    def _check_values(self) -> None:
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not least <= value <= most:
                limits = f"{least} or more" if most == inf else f"a number from {least} to {most}"
                raise FleetError(f"{name}={value!r}: expected {limits}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                one_of = ", ".join(choices)
                raise FleetError(f"{name}={getattr(self, name)!r}: expected one of {one_of}")

        registry = self.registry_name
        if registry is not None and (problem := registry_problem(registry)):
            raise FleetError(f"--registry: {problem}")

    def _check_drain(self) -> None:
        """Raise a FleetError if an option of a drain is given and nodes are not drained."""
        given = {
            "--pod-grace": self.pod_grace is not None,
            "--drain-force": self.drain_force,
            "--delete-emptydir-data": self.delete_emptydir_data,
        }
        names = [name for name, is_given in given.items() if is_given]
        if names and not self.drain:
            raise FleetError(f"{' and '.join(names)}: only --drain evicts pods. Add --drain")

    def cleaned(self, secrets: Iterable[str]) -> RolloutOptions:
        """Return the options with a message of one line, without secrets."""
        return replace(self, message=clean_message(self.message, secrets))

    def data(self) -> dict[str, Any]:
        """Return the options as the journal keeps them."""
        return asdict(self)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> RolloutOptions:
        """Read the options from the journal; ignore those that only another release knows."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})
