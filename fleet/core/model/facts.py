"""Facts that the probe read on a node: the only input from a node to a decision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.core.model.change import Tree
from fleet.core.model.generation import Generation
from fleet.core.model.paths import FileKey, PathEntry, clean_path, file_key
from fleet.core.model.pending import Pending
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import DocumentError, parse_json, table, word, words
from fleet.core.text.toml_scan import dotted, split

CERTS_D = "/etc/containerd/certs.d"


STATE_FILE = "/var/lib/fleet/state.json"


_SETTINGS = {"mirrors", "configs"}


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
    """The systemd state of containerd's unit; `started` is in seconds since the epoch, or None."""

    load: str = "not-found"
    active: str = "inactive"
    sub: str = "dead"
    main_pid: int = 0
    restarts: int = 0
    started: float | None = None
    kill_mode: str = ""
    delegate: str = ""

    @property
    def running(self) -> bool:
        """Return whether the unit is running; its CRI plugin may still have failed."""
        return self.active == "active" and self.sub == "running"


@dataclass(frozen=True, slots=True)
class OwnedState:
    """fleet's record on the node: the files it owns with their digests, and the last generation.

    `migrated` are hosts.toml files that a migration wrote for registries outside mirrors.yaml.
    fleet recognizes them and leaves them as they are.
    """

    generation: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    legacy: tuple[str, ...] = ()
    migrated: Mapping[str, str] = field(default_factory=dict)

    def render(self) -> bytes:
        """Write the record as state.json, with one key per line so that a shell can read it."""
        body = {
            "version": 1,
            "generation": self.generation,
            "files": dict(sorted(self.files.items())),
            "legacy": sorted(self.legacy),
            "migrated": dict(sorted(self.migrated.items())),
        }
        return (json.dumps(body, indent=2) + "\n").encode()


def parse_state(content: bytes | None) -> OwnedState:
    """Parse state.json; return an empty record if it cannot be parsed."""
    try:
        body = parse_json(content or b"{}")
    except DocumentError:
        return OwnedState()
    owned, migrated = (_digests(body, key) for key in ("files", "migrated"))
    legacy = tuple(name for name in words(body, "legacy") if _is_setting(name))
    return OwnedState(word(body, "generation") or None, owned, legacy, migrated)


def _is_setting(name: str) -> bool:
    """Return whether fleet may have written a name; a shorter name would be a whole table."""
    try:
        path = split(name)
    except ValueError:
        return False
    return len(path) > 1 and path[0] in _SETTINGS and dotted(path) == name


def _digests(body: Any, key: str) -> dict[str, str]:
    entries = table(body, key).items()
    return {clean_path(path): digest for path, digest in entries if isinstance(digest, str)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """All that one probe read; `files` are the bytes by path, `changed_at` their mtimes.

    `paths` describe the paths of hosts directories and config files. If `paths_complete`, they also
    hold all paths that hosts.toml files name, and a path that is missing from them is missing on
    the node. Otherwise the probe may not have looked at it.
    `skipped_files` is the number of files if there are too many to read.
    `present` are the certificates that the config names and the node has; None if the probe did
    not look. `tasks` is the number of running containers. `pending` is an unconfirmed
    change, `control_plane` the evidence that the node is part of a Kubernetes control plane.
    `machine` identifies the machine independently of its name; empty if that is not known.
    `offline` facts come from a folder of files, without a daemon.
    """

    hostname: str = ""
    machine: str = ""
    distribution: str = ""
    distribution_id: str = ""
    offline: bool = False
    owner: str | None = None
    no_upstream: bool = False
    unit_name: str = "containerd"
    socket: str = "/run/containerd/containerd.sock"
    arguments: tuple[str, ...] = ()
    present: frozenset[str] | None = None
    marks: tuple[str, ...] = ()
    unit: UnitState = field(default_factory=UnitState)
    binary: str = ""
    binary_version: ContainerdVersion | None = None
    daemon_version: ContainerdVersion | None = None
    config: str = "/etc/containerd/config.toml"
    dump: Answer = field(default_factory=lambda: Answer("", 127))
    default: str | None = None
    imports: tuple[str, ...] = ()
    files: Tree = field(default_factory=dict)
    changed_at: Mapping[str, int] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    paths: Mapping[str, PathEntry] = field(default_factory=dict)
    paths_complete: bool = False
    directories: frozenset[str] = frozenset()
    skipped_files: int = 0
    cri: str = "absent"
    cri_detail: str = ""
    crictl: str | None = None
    crictl_answers: bool = False
    runtime_ready: bool | None = None
    tasks: int = 0
    lock: str | None = None
    pending: Pending | None = None
    control_plane: tuple[str, ...] = ()
    generations: tuple[Generation, ...] = ()

    @property
    def version(self) -> ContainerdVersion | None:
        """Return the version that decides: the running daemon's, else the binary's."""
        return self.daemon_version or self.binary_version

    @property
    def state(self) -> OwnedState:
        """Return what fleet owns on this node."""
        file = self.files.get(STATE_FILE)
        return parse_state(file.content if file else None)

    def owned_by_key(self) -> dict[FileKey, str]:
        """Return the digests of fleet's own files, by a key that all paths of a file share."""
        owned = {**self.state.migrated, **self.state.files}
        return {file_key(self.paths, path): digest for path, digest in owned.items()}

    def owned_digest(self, path: str) -> str | None:
        """Return the digest of one file that fleet owns; None if it does not own it."""
        return self.owned_by_key().get(file_key(self.paths, path))

    @property
    def config_text(self) -> str | None:
        """Return config.toml as text; None if the node has none."""
        file = self.files.get(self.config)
        return file.content.decode("utf-8", "surrogateescape") if file else None

    @property
    def edited_not_loaded(self) -> tuple[str, ...]:
        """Return the config files that were edited after the daemon had started.

        Both times are in whole seconds, so an edit within the first second is not detected.
        """
        started = self.unit.started
        if started is None:
            return ()
        sources = (self.config, *self.imports)
        return tuple(path for path in sources if self.changed_at.get(path, 0) > started + 1)
