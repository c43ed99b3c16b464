"""Facts that the probe read on a node; decisions use nothing else from the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.core.model.change import Tree
from fleet.core.model.etcd import Etcd
from fleet.core.model.generation import Generation, SavedEdit
from fleet.core.model.owned_state import STATE_FILE, OwnedState, parse_state
from fleet.core.model.paths import FileKey, PathEntry, file_key
from fleet.core.model.pending import Pending
from fleet.core.model.version import ContainerdVersion

CERTS_D = "/etc/containerd/certs.d"


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of a command on the node; the exit code 124 means that it timed out."""

    text: str
    code: int

    @property
    def ok(self) -> bool:
        """Return whether the command succeeded."""
        return self.code == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """The systemd state of containerd's unit; `started` is in seconds since the epoch, or None.

    `start_seconds` is the time that systemd gives the unit to say that it has started, within
    bounds; 0 if it counts as started at once.
    """

    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    main_pid: int = 0
    restarts: int = 0
    started: float | None = None
    kill_mode: str = ""
    delegate: str = ""
    start_seconds: int = 0

    @property
    def running(self) -> bool:
        """Return whether the unit is running; its CRI plugin may still have failed."""
        return self.active == "active" and self.sub == "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """The machine: its names, its distribution, and its role in a cluster.

    `id` identifies the machine independently of its name; it is empty if that is not known.
    `marks` are existing paths that identify a distribution. `control_plane` is the evidence that
    the node is part of a Kubernetes control plane. `etcd` is what such a node says about etcd.
    """

    hostname: str = ""
    id: str = ""
    distribution: str = ""
    distribution_id: str = ""
    marks: tuple[str, ...] = ()
    control_plane: tuple[str, ...] = ()
    etcd: Etcd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RancherFacts:
    """The settings with which k3s or RKE2 starts next, by its command line and config files.

    `no_upstream` is whether it starts containerd without fallback to the registries themselves.
    `replaced` is whether `program` is not the file that runs. `tools` are the folders of its
    programs below a `data_dir` of its own, as a part of PATH.
    """

    registries: str = ""
    data_dir: str = ""
    tools: str = ""
    no_upstream: bool = False
    docker: bool = False
    program: str = ""
    replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonFacts:
    """The containerd daemon and its unit.

    `owner` is the Kubernetes distribution that runs containerd, if one does. `tasks` is the number
    of running containers.
    """

    owner: str | None = None
    rancher: RancherFacts = field(default_factory=RancherFacts)
    unit_name: str = "containerd"
    unit: UnitState = field(default_factory=UnitState)
    socket: str = "/run/containerd/containerd.sock"
    arguments: tuple[str, ...] = ()
    binary: str = ""
    installed_version: ContainerdVersion | None = None
    running_version: ContainerdVersion | None = None
    tasks: int = 0

    @property
    def version(self) -> ContainerdVersion | None:
        """Return the version to plan for: the running daemon's, else the installed one."""
        return self.running_version or self.installed_version

    @property
    def program(self) -> str:
        """Return the name of the program that reads the config files at its start."""
        return self.unit_name if self.rancher.registries else "containerd"


@dataclass(frozen=True, slots=True, kw_only=True)
class CriFacts:
    """CRI's health, and the path of crictl if the node has it."""

    state: str = "absent"
    detail: str = ""
    crictl: str | None = None
    crictl_answers: bool = False
    runtime_ready: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFacts:
    """The present config: the path of the root file, its imports, and the daemon's dump.

    `default` is the default config, if it was read. `certificates` are those that the config names
    and the node has; None if the probe did not look.
    """

    path: str = "/etc/containerd/config.toml"
    imports: tuple[str, ...] = ()
    dump: Answer = field(default_factory=lambda: Answer("", 127))
    default: str | None = None
    certificates: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFacts:
    """The paths of a node: files, folders and symbolic links.

    `entries` describe the paths of hosts directories and config files. If `complete`, they also
    hold all paths that hosts.toml files name: a path without an entry does not exist on the node.
    Otherwise the probe may not have looked at it. `changed_at` are the mtimes of files.
    `skipped_files` is the number of files if there are too many to read.
    """

    entries: Mapping[str, PathEntry] = field(default_factory=dict)
    complete: bool = False
    directories: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    changed_at: Mapping[str, int] = field(default_factory=dict)
    skipped_files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """All that one probe read; `files` are the files by path.

    `lock` is the text of the rollout lock, `pending` an unconfirmed change, `generations` the saved
    states. `offline` facts come from a folder of files, without a daemon.
    """

    offline: bool = False
    machine: MachineFacts = field(default_factory=MachineFacts)
    daemon: DaemonFacts = field(default_factory=DaemonFacts)
    cri: CriFacts = field(default_factory=CriFacts)
    config: ConfigFacts = field(default_factory=ConfigFacts)
    files: Tree = field(default_factory=dict)
    paths: PathFacts = field(default_factory=PathFacts)
    lock: str | None = None
    pending: Pending | None = None
    generations: tuple[Generation, ...] = ()
    own_files: tuple[str, ...] = ()
    """The files and folders that fleet has for itself on the node, if they were asked for."""
    saved_edits: tuple[SavedEdit, ...] = ()
    """The copies of edits by others, if they were asked for."""

    @property
    def state(self) -> OwnedState:
        """Return the record of the files that fleet owns on this node."""
        file = self.files.get(STATE_FILE)
        return parse_state(file.content if file else None)

    def owned_by_key(self) -> dict[FileKey, str]:
        """Return the digests of fleet's own files, by keys that all paths to one file share."""
        owned = {**self.state.migrated, **self.state.files}
        return {file_key(self.paths.entries, path): digest for path, digest in owned.items()}

    def owned_digest(self, path: str) -> str | None:
        """Return the digest of one file that fleet owns; None if it does not own it."""
        return self.owned_by_key().get(file_key(self.paths.entries, path))

    @property
    def config_text(self) -> str | None:
        """Return config.toml as text; None if the node has none."""
        file = self.files.get(self.config.path)
        return file.content.decode("utf-8", "surrogateescape") if file else None

    @property
    def edited_not_loaded(self) -> tuple[str, ...]:
        """Return the config files that were edited after the daemon had started.

        Both times are in whole seconds, so an edit within the first second is not detected.
        """
        started = self.daemon.unit.started
        if started is None:
            return ()
        # k3s and RKE2 write config.toml themselves, a moment after they have started.
        registries = self.daemon.rancher.registries
        sources = (registries,) if registries else (self.config.path, *self.config.imports)
        return tuple(path for path in sources if self.paths.changed_at.get(path, 0) > started + 1)
