"""A local folder with a node's files, read as the probe would read the node."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fleet.core.model.change import ManagedFile
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.paths import Kind, PathEntry, clean_path, folders_above, kind_of
from fleet.core.plan.path_checks import MOST_BYTES, MOST_FILES

_PLACES = (
    "/etc/os-release",
    "/etc/containerd",
    "/etc/k0s",
    "/etc/rancher",
    "/usr/share/containerd",
    "/usr/lib/containerd",
    "/var/lib/rancher/k3s/agent/etc/containerd",
    "/var/lib/rancher/rke2/agent/etc/containerd",
    "/var/snap/microk8s/current/args",
    "/var/snap/k8s/common/etc/containerd",
    STATE_FILE,
)


_PATH = re.compile(r"[\"'](/[A-Za-z0-9_.:/@%+*\[\]-]+)[\"']")


_MOST_PLACES = 10_000


_MOST_LINKS = 40


_DEEPEST = 40


@dataclass(slots=True)
class NodeRoot:
    """A node's files in a local folder, by the node's paths; links never lead out of the folder."""

    base: Path
    files: dict[str, ManagedFile] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    places: dict[str, PathEntry] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    """All files, also those that are too large to read."""

    @property
    def crowded(self) -> int:
        """Return the number of files if there are too many to read; else 0."""
        count = len(self.found)
        return count if count > MOST_FILES or len(self.places) >= _MOST_PLACES else 0

    @property
    def links(self) -> frozenset[str]:
        """Return the files whose own path is a symbolic link."""
        return frozenset(path for path in self.files if self.places[path].kind is Kind.LINK)

    @property
    def complete(self) -> bool:
        """Return whether everything was read, which is so unless there was too much."""
        return not self.crowded

    def walk(self, path: str, above: tuple[str, ...] = ()) -> None:
        """Read a path and all below it; enter a folder only once if links lead back to it."""
        place = self._look(path)
        real = self._real(path)
        if place is None or real is None or len(self.places) >= _MOST_PLACES:
            return
        end = self._at(real)
        if end.is_dir() and real not in above and len(above) < _DEEPEST:
            self.folders.add(path)
            for name in sorted(entry.name for entry in end.iterdir()):
                self.walk(f"{path}/{name}", (*above, real))
        elif end.is_file():
            status = end.stat()
            self.found.add(path)  # A path is walked again if a config names a folder above it.
            if status.st_size <= MOST_BYTES and len(self.found) <= MOST_FILES:
                self.files[path] = ManagedFile(end.read_bytes(), status.st_mode & 0o7777)

    def look_above(self, path: str) -> None:
        """Record the folders above a path."""
        for folder in folders_above(path):
            self._look(folder)

    def followed(self, path: str) -> str:
        """Return a path without links and read the file there, as the probe does for a config."""
        real = self._real(path) or path
        if real != path:
            self.look_above(real)
            self.walk(real)
        return real

    def _look(self, path: str) -> PathEntry | None:
        """Record what is at a path, without following a link; return None if nothing is."""
        folder, _, name = path.rpartition("/")
        parent = self._real(folder)
        try:
            status = (self._at(parent) / name).lstat() if parent is not None else None
        except OSError:
            status = None
        if status is None or parent is None:
            return None
        self.places[path] = self._place(path, status, self._at(parent) / name)
        return self.places[path]

    def _place(self, path: str, status: os.stat_result, local: Path) -> PathEntry:
        kind = kind_of(status.st_mode)
        target, real, identity = "", "", None
        if kind is Kind.LINK:
            target = str(local.readlink())
            real = self._real(path) or ""
            try:
                end = self._at(real).lstat() if real else None
            except OSError:
                end = None
            identity = (end.st_dev, end.st_ino) if end else None
        return PathEntry(
            kind=kind,
            device=status.st_dev,
            inode=status.st_ino,
            links=status.st_nlink,
            size=status.st_size,
            mode=status.st_mode & 0o7777,
            changed_at=int(status.st_mtime),
            target=target,
            real=real,
            leads=identity,
        )

    def _real(self, path: str) -> str | None:
        """Return a node's path without links; None for a circular link."""
        pending = path.split("/")[1:]
        done = ""
        followed = 0
        while pending:
            name = pending.pop(0)
            here = f"{done}/{name}"
            if name == "..":
                done = done.rpartition("/")[0]
            elif name in {"", "."}:
                continue
            elif not self._at(here).is_symlink():
                done = here
            elif followed == _MOST_LINKS:
                return None
            else:
                followed += 1
                target = str(self._at(here).readlink())
                done = "" if target.startswith("/") else done
                pending = target.split("/") + pending
        return done

    def _at(self, path: str) -> Path:
        return self.base / path.lstrip("/")


def read_root(base: Path) -> NodeRoot:
    """Return the files, folders and places below `base` that a plan may need.

    Imports, folders and certificates that the config files name are read as well.
    """
    root = NodeRoot(base.resolve())
    pending = list(_PLACES)
    done: set[str] = set()
    while pending and not root.crowded:
        path = pending.pop(0)
        if path in done:
            continue
        done.add(path)
        before = set(root.files)
        root.look_above(path)
        root.walk(path)
        for file in root.files.keys() - before:
            pending += _named(file, root.files[file])
    return root


def _named(path: str, file: ManagedFile) -> Iterator[str]:
    """Yield the paths that a config file names; a glob yields its folder."""
    if not path.endswith(".toml"):
        return
    for match in _PATH.finditer(file.content.decode("utf-8", "replace")):
        for part in match[1].split(":"):
            name = clean_path(part.partition("*")[0]) if "*" in part else clean_path(part)
            if part.startswith("/") and name.count("/") > 1:
                yield name
