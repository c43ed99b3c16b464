"""A folder that holds a node's files, read as the probe would read the node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fleet.core.facts import STATE_FILE
from fleet.core.model import ManagedFile

_PLACES = (
    "etc/os-release",
    "etc/containerd",
    "etc/k0s",
    "etc/rancher",
    "usr/share/containerd",
    "usr/lib/containerd",
    "var/lib/rancher/k3s/agent/etc/containerd",
    "var/lib/rancher/rke2/agent/etc/containerd",
    "var/snap/microk8s/current/args",
    "var/snap/k8s/common/etc/containerd",
    STATE_FILE.lstrip("/"),
)
_PATH = re.compile(r"[\"'](/[A-Za-z0-9_.:/@%+*\[\]-]+)[\"']")
_MOST_FILES = 3000
_MOST_BYTES = 1 << 20


def read_root(root: Path) -> tuple[dict[str, ManagedFile], frozenset[str]]:
    """Return the files and folders below `root` that a plan may rest on, by their node paths.

    What the config files name (imports, folders, certificates) is read as well. A link that leads
    out of `root` is passed over.
    """
    files: dict[str, ManagedFile] = {}
    folders: set[str] = set()
    base = root.resolve()
    pending = list(_PLACES)
    done: set[str] = set()
    while pending and len(files) < _MOST_FILES:
        place = pending.pop(0)
        if place in done:
            continue
        done.add(place)
        for path in _below(base, place):
            node_path = f"/{path.relative_to(base)}"
            if path.is_dir():
                folders.add(node_path)
            elif path.stat().st_size <= _MOST_BYTES:
                files[node_path] = ManagedFile(path.read_bytes(), path.stat().st_mode & 0o7777)
                pending += _named(node_path, files[node_path])
    return files, frozenset(folders)


def _below(base: Path, place: str) -> Iterator[Path]:
    start = base / place
    found = [start, *sorted(start.rglob("*"))] if start.is_dir() else [start]
    for path in found:
        inside = path.resolve().is_relative_to(base)
        if inside and (path.is_file() or path.is_dir()):
            yield path


def _named(path: str, kept: ManagedFile) -> Iterator[str]:
    """Yield the places that a config file names: a glob stands for its folder."""
    if not path.endswith(".toml"):
        return
    for match in _PATH.finditer(kept.content.decode("utf-8", "replace")):
        for part in match[1].split(":"):
            name = part.partition("*")[0].rstrip("/") if "*" in part else part
            if name.count("/") > 1:
                yield name.lstrip("/")
