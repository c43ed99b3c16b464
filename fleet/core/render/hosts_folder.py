"""The folders of hosts.toml files, for all strategies that write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fleet.core.containerd.hosts_toml import hosts_files
from fleet.core.containerd.managed_header import HEADER
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign, Mirror, Registry
from fleet.core.model.paths import file_key, plain_path
from fleet.core.render.base import known_version

_DOCKER_STYLE = (".crt", ".cert", ".key")


def hosts_folder_files(
    registries: Iterable[Registry],
    directory: str,
    facts: NodeFacts,
    foreign: Foreign,
    header: str = HEADER,
) -> tuple[dict[str, ManagedFile], list[str]]:
    """Return the files of all registries below `directory`, and notes on files that stay."""
    if not plain_path(directory):
        message = f"fleet does not write to config_path {directory!r} (unusual characters)"
        remedy = "use a path of letters, digits, '.', '-' and '_'"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    files: dict[str, ManagedFile] = {}
    skipped = []
    if foreign is Foreign.OVERWRITE:
        odd = [
            path
            for path in facts.files
            if path.startswith(f"{directory}/") and not plain_path(path)
        ]
        skipped += [f"leaves {path!r}, which no registry uses" for path in odd]
    certificates = _docker_style(facts)
    owned = facts.owned_by_key()
    for registry in registries:
        if not _needs_folder(registry):
            continue
        folder = registry_folder(directory, registry.name, facts)
        path = f"{folder}/hosts.toml"
        hosts, digest = facts.files.get(path), owned.get(file_key(facts.paths.entries, path))
        if foreign is Foreign.KEEP and hosts is not None and hosts.digest != digest:
            skipped.append(f"keeps {path}, which differs from what fleet wrote")
            continue
        ours = hosts is None or digest is not None
        dressed = _with_docker_style(registry, certificates.get(folder, ())) if ours else registry
        files.update(hosts_files(dressed, folder, known_version(facts), header))
    return files, skipped


def _needs_folder(registry: Registry) -> bool:
    """Return whether a registry needs a hosts.toml; a login alone stands in config.toml.

    A host that is listed without any setting has a folder of its own, which the settings of
    `_default` do not reach.
    """
    upstream = registry.upstream
    own = upstream is not None and (upstream.has_tls or upstream.auth is None)
    return bool(registry.mirrors) or own


def is_foreign(facts: NodeFacts, path: str) -> bool:
    """Return whether a file exists that fleet did not write, or that was edited since."""
    file = facts.files.get(path)
    return file is not None and facts.owned_digest(path) != file.digest


def registry_folder(directory: str, name: str, facts: NodeFacts) -> str:
    """Return the folder that this node would look up first for the registry."""
    host, colon, port = name.rpartition(":")
    underscored = f"{directory}/{host}_{port}_"
    if colon and port.isdigit() and underscored in facts.paths.directories:
        return underscored
    return f"{directory}/{name}"


def _docker_style(facts: NodeFacts) -> dict[str, list[str]]:
    """Return the sorted certificates of each folder that follow Docker's naming."""
    certificates: dict[str, list[str]] = {}
    for path in sorted(facts.files):
        if path.endswith(_DOCKER_STYLE):
            certificates.setdefault(path.rpartition("/")[0], []).append(path)
    return certificates


def _with_docker_style(registry: Registry, certificates: Sequence[str]) -> Registry:
    """Return the registry with certificates that a new hosts.toml would otherwise disable."""
    if not certificates or registry.server is None:
        return registry
    pairs = (
        (path, f"{path.removesuffix('.cert')}.key")
        for path in certificates
        if path.endswith(".cert")
    )
    upstream = replace(
        registry.upstream or Mirror(url=registry.server),
        ca_paths=tuple(path for path in certificates if path.endswith(".crt")),
        client_paths=tuple(pair for pair in pairs if pair[1] in certificates),
    )
    return replace(registry, upstream=upstream)
