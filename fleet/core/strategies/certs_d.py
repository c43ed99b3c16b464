"""config_path and certs.d: containerd 1.5 and newer; hosts.toml is read at every pull."""

from __future__ import annotations

from typing import Any

from fleet.core.config_toml import (
    Table,
    dig,
    dotted,
    effective_registry,
    registry_table,
    set_key,
)
from fleet.core.facts import CERTS_D, NodeFacts
from fleet.core.hosts_toml import hosts_files
from fleet.core.model import ManagedFile
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.strategies.base import (
    DesiredState,
    Wishes,
    auth_settings,
    config_file,
    parsed_dump,
    refuse_masking_imports,
    starting_config,
)
from fleet.core.versions import ContainerdVersion, capability


class CertsD:
    """Write one hosts.toml a registry, and set config_path once."""

    name = "certs.d"

    def supports(self, facts: NodeFacts) -> bool:
        """Say whether this version knows config_path."""
        return facts.version is not None and capability(facts.version).config_path

    def render(self, facts: NodeFacts, wishes: Wishes) -> DesiredState:
        """Return every hosts.toml, and config.toml where config_path is not set yet."""
        version = _version(facts)
        start, data = starting_config(facts, wishes)
        table = registry_table(data, version, facts.config)
        _refuse_legacy(data, table, facts, version)
        effective = effective_registry(parsed_dump(facts))
        refuse_masking_imports(facts, merges=version.release >= (2, 0, 0))
        current = str(effective.get("config_path", ""))
        directory, notes = _directory(current, version)
        text = start
        if current != directory and not _reads_first(current, version):
            text = set_key(text, table, "config_path", directory)
        text, owned = _with_auth(text, table, wishes)
        files: dict[str, ManagedFile] = {}
        for registry in wishes.registries:
            folder = _folder(directory, registry.name, facts)
            _refuse_hidden_certificates(folder, facts)
            files.update(hosts_files(registry, folder, version))
        if text != start:
            files[facts.config] = config_file(facts, text, secret=bool(owned))
        return DesiredState(files, directory, tuple(owned), tuple(notes))


def _version(facts: NodeFacts) -> ContainerdVersion:
    if facts.version is None:
        raise NodeError(FailureKind.UNSUPPORTED, "plan", "no containerd was found on this node")
    return facts.version


def _directory(current: str, version: ContainerdVersion) -> tuple[str, list[str]]:
    """Choose the one directory that hosts.toml files go to."""
    first = next((part for part in current.split(":") if part.startswith("/")), CERTS_D)
    directory = first.rstrip("/") or CERTS_D
    if ":" not in current:
        return (current if current.startswith("/") else directory), []
    note = f"config_path {current!r} names several directories"
    if _reads_first(current, version):
        return directory, [f"{note}; fleet writes to the first (from 2.1 on none would be read)"]
    return directory, [f"{note}, so containerd {version} reads none of them; set to {directory}"]


def _reads_first(current: str, version: ContainerdVersion) -> bool:
    """Say whether a joined config_path works: 2.1 and newer take it for one strange name."""
    return ":" in current and version.release < (2, 1, 0)


def _folder(directory: str, name: str, facts: NodeFacts) -> str:
    """Return the folder that this node would look up first for the registry."""
    host, colon, port = name.rpartition(":")
    underscored = f"{directory}/{host}_{port}_"
    if colon and underscored in facts.directories:
        return underscored
    return f"{directory.rstrip('/')}/{name}"


def _refuse_legacy(
    data: dict[str, Any], table: Table, facts: NodeFacts, version: ContainerdVersion
) -> None:
    """Refuse mirrors beside config_path: CRI dies of it while the unit stays active."""
    registry = dig(data, table) or {}
    found = sorted(registry.get("mirrors") or {})
    if capability(version).legacy_tls:
        configs = (registry.get("configs") or {}).items()
        found += sorted(f"configs.{host}.tls" for host, each in configs if each.get("tls"))
    if found:
        names = ", ".join(found)
        message = (
            f"{facts.config} has legacy registry settings ({names}) that kill CRI beside"
            " config_path; remove them there first, and name them in mirrors.yaml"
        )
        raise NodeError(FailureKind.CONFLICT, "plan", message)


def _refuse_hidden_certificates(folder: str, facts: NodeFacts) -> None:
    """Refuse to hide Docker-style certificates, which count only without a hosts.toml."""
    if f"{folder}/hosts.toml" in facts.files:
        return
    for path in facts.files:
        if path.startswith(f"{folder}/") and path.endswith((".crt", ".cert", ".key")):
            message = (
                f"{path} counts only as long as there is no hosts.toml beside it; name it in"
                " mirrors.yaml (ca, client) and move it away"
            )
            raise NodeError(FailureKind.CONFLICT, "plan", message)


def _with_auth(text: str, table: Table, wishes: Wishes) -> tuple[str, list[str]]:
    """Put credentials under registry.configs, where every version still reads them."""
    owned = []
    for host, (username, password) in auth_settings(wishes.registries).items():
        place = (*table, "configs", host, "auth")
        text = set_key(text, place, "username", username)
        text = set_key(text, place, "password", password)
        owned.append(dotted(("configs", host, "auth")))
    return text, owned
