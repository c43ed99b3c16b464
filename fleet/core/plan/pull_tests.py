"""The verification pulls that mirrors.yaml asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleet.core.containerd.hosts_toml import ctr_hosts
from fleet.core.model.change import Change
from fleet.core.model.mirror import Registry
from fleet.core.model.version import ContainerdVersion
from fleet.core.plan.restart_cost import is_read_per_pull
from fleet.core.selection.ranges import compress
from fleet.errors import printable


@dataclass(frozen=True, slots=True)
class PullTest:
    """An image to pull for verification; `registry` is `_default` if the wildcard serves it.

    `hosts` is a hosts.toml for ctr, if the daemon has no folder of them. `mirrors` and `upstream`
    name hosts as requests do. `paths` are mirrors with a path, which some releases treat
    differently. `credentials` are hosts with a login, which may accept CRI and refuse ctr.
    `rewritten` is whether CRI asks for other names than ctr.
    """

    image: str
    registry: str
    hosts: bytes
    mirrors: tuple[str, ...] = ()
    upstream: str | None = None
    paths: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset()
    rewritten: bool = False

    @property
    def host(self) -> str:
        """Return the registry of the image, by which ctr finds its folder."""
        return self.image.partition("/")[0]


def pull_tests(
    registries: Iterable[Registry], directory: str | None, version: ContainerdVersion | None
) -> Iterator[PullTest]:
    """Yield the verification pulls that the registries ask for, for a node of this release."""
    for registry in registries:
        if not registry.verify:
            continue
        needed = version if directory is None else None
        yield PullTest(
            registry.verify,
            registry.name,
            ctr_hosts(registry, "/nowhere", needed) if needed else b"",
            mirrors=tuple(mirror.authority for mirror in registry.mirrors),
            upstream=_authority(registry.server, registry.verify),
            paths=frozenset(mirror.authority for mirror in registry.mirrors if mirror.path),
            credentials=frozenset(host.authority for host in registry.hosts if host.auth),
            rewritten=bool(registry.rewrite),
        )


def unproven(changes: Iterable[Change], registries: Iterable[Registry]) -> tuple[str, ...]:
    """Return the registries that a plan changes and that no verification pull proves.

    A change to a file that is read at a restart affects all registries.
    """
    paths = [change.path for change in changes]
    untested = [registry.name for registry in registries if not registry.verify]
    if any(not is_read_per_pull(path) for path in paths):
        return tuple(untested)
    touched = {folder for path in paths for folder in path.split("/")[:-1]}
    return tuple(name for name in untested if _folders(name) & touched)


def unproven_text(registries: Mapping[str, Iterable[str]]) -> str:
    """Return a line that names each node's unproven registries; empty if there are none."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for node, names in registries.items():
        for registry in names:
            nodes[registry].append(node)
    by_nodes: dict[str, list[str]] = defaultdict(list)
    for registry, node_names in nodes.items():
        by_nodes[compress(node_names)].append(registry)
    parts = [f"{', '.join(map(printable, group))} ({names})" for names, group in by_nodes.items()]
    return f"not verified by a pull: {'; '.join(parts)}" if parts else ""


def _folders(registry: str) -> set[str]:
    """Return the possible folder names of a registry: with `:PORT`, or with `_PORT_`."""
    host, colon, port = registry.partition(":")
    return {registry, f"{host}_{port}_"} if colon else {registry}


def _authority(server: str | None, image: str) -> str:
    """Return the host that upstream requests go to; the wildcard's is the image's own."""
    return (server or "//" + image).partition("//")[2].partition("/")[0]
