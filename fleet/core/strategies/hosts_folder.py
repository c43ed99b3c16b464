"""The folders that hosts.toml files go to, whoever owns the config that names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fleet.core.facts import NodeFacts
from fleet.core.hosts_toml import hosts_files
from fleet.core.model import Foreign, ManagedFile, Mirror, Registry
from fleet.core.strategies.base import known_version

_DOCKER_STYLE = (".crt", ".cert", ".key")


def written(
    registries: Iterable[Registry], directory: str, facts: NodeFacts, foreign: Foreign
) -> tuple[dict[str, ManagedFile], list[str]]:
    """Return the files of all registries below `directory`, and notes of those that stay."""
    files: dict[str, ManagedFile] = {}
    skipped = []
    for registry in registries:
        folder = registry_folder(directory, registry.name, facts)
        path = f"{folder}/hosts.toml"
        if foreign is Foreign.KEEP and is_foreign(facts, path):
            skipped.append(f"keeps {path}, which is not as fleet wrote it")
            continue
        dressed = _with_docker_style(registry, folder, facts)
        files.update(hosts_files(dressed, folder, known_version(facts)))
    return files, skipped


def is_foreign(facts: NodeFacts, path: str) -> bool:
    """Say whether a file is there that fleet did not write, or that was edited since."""
    kept = facts.files.get(path)
    return kept is not None and facts.owned_digest(path) != kept.digest


def registry_folder(directory: str, name: str, facts: NodeFacts) -> str:
    """Return the folder that this node would look up first for the registry."""
    host, colon, port = name.rpartition(":")
    underscored = f"{directory}/{host}_{port}_"
    if colon and port.isdigit() and underscored in facts.directories:
        return underscored
    return f"{directory}/{name}"


def _with_docker_style(registry: Registry, folder: str, facts: NodeFacts) -> Registry:
    """Carry over certificates that count only as long as there is no hosts.toml beside them."""
    hosts = facts.files.get(f"{folder}/hosts.toml")
    found = sorted(
        path
        for path in facts.files
        if path.startswith(f"{folder}/") and path.endswith(_DOCKER_STYLE)
    )
    ours = hosts is None or facts.owned_digest(f"{folder}/hosts.toml") is not None
    if not found or not ours or registry.server is None:
        return registry
    pairs = (
        (path, f"{path.removesuffix('.cert')}.key") for path in found if path.endswith(".cert")
    )
    upstream = replace(
        registry.upstream or Mirror(url=registry.server),
        ca_paths=tuple(path for path in found if path.endswith(".crt")),
        client_paths=tuple(pair for pair in pairs if pair[1] in found),
    )
    return replace(registry, upstream=upstream)
