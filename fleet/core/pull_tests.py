"""The verification pulls that mirrors.yaml asks for; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.core.changes import per_pull
from fleet.core.hosts_toml import hosts_files
from fleet.core.model import Change, Registry
from fleet.core.versions import parse_version

_HOSTS_REFERENCE = parse_version("1.6.0")


@dataclass(frozen=True, slots=True)
class PullTest:
    """An image to pull for proof; `hosts` is the registry's hosts.toml, for ctr to go by.

    `mirrors` and `upstream` name hosts as requests do. `paths` are mirrors whose path some releases
    take otherwise; `credentials` those where CRI may be let in and ctr is not.
    """

    image: str
    registry: str
    hosts: bytes
    mirrors: tuple[str, ...] = ()
    upstream: str | None = None
    paths: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset()


def pull_tests(registries: Iterable[Registry], directory: str | None) -> Iterator[PullTest]:
    """Yield the verification pulls that the registries ask for."""
    for registry in registries:
        if registry.verify and _HOSTS_REFERENCE:
            folder = f"{directory or '/nowhere'}/{registry.name}"
            files = dict(hosts_files(registry, folder, _HOSTS_REFERENCE))
            yield PullTest(
                registry.verify,
                registry.name,
                files[f"{folder}/hosts.toml"].content,
                mirrors=tuple(each.authority for each in registry.mirrors),
                upstream=_authority(registry.server, registry.verify),
                paths=frozenset(each.authority for each in registry.mirrors if each.path),
                credentials=frozenset(each.authority for each in registry.hosts if each.auth),
            )


def unproven(changes: Iterable[Change], registries: Iterable[Registry]) -> tuple[str, ...]:
    """Return the registries that a plan changes and that no verification pull proves.

    A change of what a restart reads concerns all of them.
    """
    paths = [change.path for change in changes]
    silent = [registry.name for registry in registries if not registry.verify]
    if any(not per_pull(path) for path in paths):
        return tuple(silent)
    touched = {folder for path in paths for folder in path.split("/")[:-1]}
    return tuple(name for name in silent if _folders(name) & touched)


def _folders(registry: str) -> set[str]:
    """Return the names that a registry's folder may have: a port stands as it is, or between _."""
    host, colon, port = registry.partition(":")
    return {registry, f"{host}_{port}_"} if colon else {registry}


def _authority(server: str | None, image: str) -> str:
    """Return the host that upstream requests go to; the wildcard's is the image's own."""
    return (server or "//" + image).partition("//")[2].partition("/")[0]
