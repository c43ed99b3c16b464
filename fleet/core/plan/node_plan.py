"""The plan of a node: its changes, and everything that is needed to carry them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.core.failure import Failure
from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.finding import Finding
from fleet.core.model.node import Node
from fleet.core.model.node_state import NodeState
from fleet.core.model.owned_state import OwnedState
from fleet.core.plan.pull_tests import PullTest
from fleet.core.render.generated_hosts import GeneratedFiles
from fleet.core.rollout.control_plane import Availability


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonAccess:
    """The daemon, and how it is reached and restarted."""

    binary: str = "/usr/bin/containerd"
    unit: str = "containerd"
    socket: str = "/run/containerd/containerd.sock"
    crictl: bool = False
    unhealthy: str = ""
    """The reason why the node was unhealthy before the change; a rollback does not halt for it."""
    start_seconds: int = 0
    """The time that systemd gives the unit to start; 0 if it counts as started at once."""
    tools: str = ""
    """Folders of the distribution's programs, if they are not in a usual place."""
    credentials: frozenset[str] = frozenset()
    """Hosts for which the daemon's config holds credentials, which ctr lacks; * for all hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedConfig:
    """The daemon's config and hosts directory, before the plan and once it is in force."""

    path: str = "/etc/containerd/config.toml"
    hosts_directory: str | None = None
    folder_before: str = ""
    """The hosts directory that the config files name before the plan; empty if none."""
    outside_digest: str = ""
    """The SHA-256 of the present `config dump` without its registry tables: it must not change."""
    ignored_tables: int = 0
    """The number of warnings in the present dump about ignored registry tables."""
    intended_registry: Mapping[str, Any] | None = field(default=None, repr=False)
    """The registry settings that the daemon must read once the plan is in force, if known."""
    generated: GeneratedFiles | None = None
    """Files that the node's distribution should generate from the changes, if it does so."""
    in_force: bool = True
    """True if, by its files, the running daemon uses this plan's settings after the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFiles:
    """The files beside the changes: those that the plan depends on, and fleet's own record."""

    unchanged: tuple[tuple[str, str | None], ...] = ()
    """Files that the plan depends on but does not change, with their digests."""
    needed: tuple[str, ...] = ()
    """Files that new files refer to and that must be on the node already."""
    emptied_folders: tuple[str, ...] = ()
    """Folders that are removed if the changes leave them empty, the deepest first."""
    state: OwnedState = field(default_factory=OwnedState)
    state_before: ManagedFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRestart:
    """The restart of containerd that the changes need."""

    cost: RestartCost = RestartCost.NONE
    risk: Failure | None = None
    """The reason why the change would end containers; the user must then allow the change."""
    by_distribution: bool = False
    """True if the node's Kubernetes distribution restarts its containerd, at its own time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPulls:
    """The verification pulls; `unproven` are changed registries that no pull verifies."""

    tests: tuple[PullTest, ...] = ()
    unproven: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackTarget:
    """The saved state that a rollback goes back to; the generation is empty if there is none."""

    generation: str = ""
    undoes: tuple[str, ...] = ()
    """The rollouts whose changes are reverted, the newest first."""
    state: ManagedFile | None = None
    """fleet's record as it was; None if there was none."""
    unhealthy: str = ""
    """The reason why the node was unhealthy in that state, if it was."""
    saved_copies: tuple[tuple[str, str], ...] = ()
    """Saved copies on the node, each with the path that gets its mode, owner, ACL and label."""
    saved_links: tuple[tuple[str, str], ...] = ()
    """Saved hard links to files with several names, each with the path to link to that file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """The plan of one node; `rollback` is set if the plan restores a saved state."""

    node: Node
    strategy: str | None = None
    containerd: str | None = None
    changes: tuple[Change, ...] = ()
    files: PlannedFiles = field(default_factory=PlannedFiles)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None
    restart: PlannedRestart = field(default_factory=PlannedRestart)
    daemon: DaemonAccess = field(default_factory=DaemonAccess)
    config: PlannedConfig = field(default_factory=PlannedConfig)
    pulls: PlannedPulls = field(default_factory=PlannedPulls)
    rollback: RollbackTarget | None = None
    removes: tuple[str, ...] = ()
    """fleet's own files on the node, if they are removed once the changes are confirmed."""
    availability: Availability = field(default_factory=Availability)
    """The node's control plane role and health, which limit when it may be taken down."""
    state: NodeState | None = None
    """The node's state when it was surveyed; None for a rollback of a node that was read."""

    @property
    def has_work(self) -> bool:
        """Return whether there is anything to do on the node."""
        return bool(self.changes or self.removes)

    @property
    def unhealthy(self) -> str:
        """Return why the node is unhealthy as it is; empty if it is healthy, or was not asked."""
        return self.daemon.unhealthy if self.state is NodeState.UNHEALTHY else ""

    @property
    def liveness_folder(self) -> str:
        """Return the folder that the daemon must read once the plan is in force; empty if none."""
        return self.config.hosts_directory or ""


def state_after(plan: NodePlan, generation: str) -> ManagedFile | None:
    """Return state.json as it must be after the plan; `generation` holds the state before it.

    Return None if a rollback restores a state without state.json.
    """
    if plan.rollback is not None:
        return plan.rollback.state
    content = replace(plan.files.state, generation=generation).render()
    return ManagedFile(content, 0o600)
