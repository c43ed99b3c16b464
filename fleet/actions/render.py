"""Offline rendering: the files that a node would get, without connecting to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.config.node_root import NodeRoot, read_root
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import ConfigFacts, DaemonFacts, MachineFacts, NodeFacts, PathFacts
from fleet.core.model.mirror import Foreign, MirrorConfig
from fleet.core.model.node import OWNERS, PLAIN, Node
from fleet.core.model.version import ContainerdVersion, parse_version
from fleet.core.plan.links import with_targets
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig
from fleet.errors import FleetError

_UNITS = {"k3s": "k3s", "rke2": "rke2-server", "k0s": "k0sworker"}
_FLATCAR = "/usr/share/containerd/config.toml"
_CONFIGS = {
    "k0s": "/etc/k0s/containerd.toml",
    "k3s": "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
    "rke2": "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """The plan of a node that fleet does not connect to, and the files that were written."""

    plan: NodePlan
    written: tuple[str, ...] = ()


def render(config: MirrorConfig, facts: NodeFacts, foreign: Foreign, out: Path) -> Rendered:
    """Plan a node with these facts; write its files below `out` unless planning fails."""
    node = Node(name="render", host="-")
    plan = plan_node(node, facts, DesiredConfig(config.registries, False, foreign))
    return Rendered(plan, () if plan.failure else tuple(_write(plan, out)))


def parse_release(text: str) -> ContainerdVersion:
    """Return a version of containerd; raise a FleetError if the text is not one."""
    version = parse_version(text)
    if version is None:
        raise FleetError(f"--containerd {text!r}: expected a version such as 1.7.24 or 2.1")
    return version


def refuse_unknown_distribution(name: str | None) -> None:
    """Raise a FleetError if fleet does not know the paths of a distribution."""
    known = (*OWNERS, *PLAIN)
    if name is not None and name not in known:
        raise FleetError(f"--distro {name!r}: expected one of {', '.join(known)}")


def offline_facts(version: ContainerdVersion, distro: str | None, root: Path | None) -> NodeFacts:
    """Return the facts of a node whose files are below `root`; without `root` it has no files."""
    if root is not None and not root.is_dir():
        raise FleetError(f"--root {root}: no such folder")
    node_root = _read(root) if root is not None else NodeRoot(Path())
    files = node_root.files
    kind = distro or _distribution(files)
    owner = kind if kind in OWNERS else None
    flatcar = kind == "flatcar" and "/etc/containerd/config.toml" not in files
    config_path = _FLATCAR if flatcar else _CONFIGS.get(kind, "/etc/containerd/config.toml")
    config = node_root.followed(config_path)
    return NodeFacts(
        offline=True,
        machine=MachineFacts(distribution_id=kind, marks=("/etc/eks",) if kind == "eks" else ()),
        daemon=DaemonFacts(
            owner=owner,
            unit_name=_UNITS.get(kind, "containerd"),
            arguments=("/usr/bin/containerd", "--config", _FLATCAR) if flatcar else (),
            installed_version=version,
        ),
        config=ConfigFacts(
            path=config,
            imports=tuple(
                path for path in files if _is_import(path) and path not in {config_path, config}
            ),
            certificates=frozenset(files) if root is not None else None,
        ),
        files=with_targets(files, node_root.links, node_root.places),
        paths=PathFacts(
            entries=node_root.places,
            complete=root is not None and node_root.complete,
            directories=frozenset(node_root.folders),
            links=node_root.links,
            skipped_files=node_root.crowded,
        ),
    )


def _read(root: Path) -> NodeRoot:
    try:
        return read_root(root)
    except OSError as error:
        message = f"--root: {error.filename} cannot be read ({error.strerror}); copy it readable"
        raise FleetError(message) from error


def _distribution(files: dict[str, ManagedFile]) -> str:
    release = files.get("/etc/os-release")
    for line in release.content.decode("utf-8", "replace").splitlines() if release else ():
        key, _, value = line.partition("=")
        if key == "ID":
            return value.strip("\"'")
    return "containerd"


def _is_import(path: str) -> bool:
    return path.endswith(".toml") and not path.endswith("/hosts.toml")


def _write(plan: NodePlan, out: Path) -> list[str]:
    """Write new and changed files below `out`; return their paths. Nothing is deleted there."""
    written = []
    for change in plan.changes:
        if change.after is None:
            continue
        target = out / change.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.chmod(change.after.mode)
        target.write_bytes(change.after.content)
        written.append(str(target))
    return written
