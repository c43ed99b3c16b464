"""An explanation of the hosts that a node asks for a registry: config files and hosts in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from fleet.core.containerd.fallback import on_failure
from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.containerd.imports import ConfigView, config_view, line_of
from fleet.core.containerd.registry_url import default_server
from fleet.core.containerd.requests import base_path
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import lint, reads_lists
from fleet.core.lint.hosts_toml import hosts_findings, read_hosts
from fleet.core.lint.pull_failures import pull_failures
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import FindingEffect
from fleet.core.model.mirror import Mirror
from fleet.core.model.paths import clean_path, hosts_directories, identity_of
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import table, tables, word, words
from fleet.core.text.go_url import go_host, whole_url
from fleet.core.text.toml_edit import dig

_EVERYTHING = ("pull", "resolve", "push")


@dataclass(frozen=True, slots=True)
class HostRequest:
    """One host that containerd asks, its capabilities, and the line of the file that names it."""

    url: str
    capabilities: tuple[str, ...]
    where: str
    note: str = ""
    asks: str = ""
    """The beginning of every request to it, as this release builds them."""


class FolderState(StrEnum):
    """The use of a folder that containerd looks for."""

    USED = "used"
    SHADOWED = "shadowed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder that containerd looks for."""

    path: str
    state: FolderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The settings in force for one registry on a node; `way` is certs.d, legacy or nothing."""

    registry: str
    version: str
    way: str
    decides: str
    folders: tuple[Folder, ...] = ()
    hosts: tuple[HostRequest, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    findings: tuple[str, ...] = ()


def explain(facts: NodeFacts, registry: str) -> Explanation:
    """Explain one registry of one node; raise a NodeError if its files cannot be read."""
    registry = "docker.io" if registry == "index.docker.io" else registry
    if facts.daemon.version is None:
        message = f"containerd does not answer on this node (unit {facts.daemon.unit.load})"
        remedy = "check that it is installed and running"
        raise NodeError(FailureKind.UNSUPPORTED, Step.EXPLAIN, message, remedy)
    view = config_view(facts, facts.daemon.version, "")
    merged = view.merged()
    findings = (*_file_warnings(facts), *(str(finding) for finding in lint(view, facts)))
    if word(merged, "config_path") and supports(facts.daemon.version, Feature.CONFIG_PATH):
        explanation = _explain_folder(view, facts, registry, word(merged, "config_path"))
    elif table(merged, "mirrors"):
        explanation = _explain_legacy(view, registry, table(merged, "mirrors"))
    else:
        explanation = Explanation(
            registry=registry,
            version=str(facts.daemon.version),
            way="nothing",
            decides=f"{view.root.path}: neither config_path nor mirrors is set",
            hosts=(_upstream(registry, "containerd itself"),),
        )
    return replace(
        explanation,
        hosts=tuple(_with_login_note(host, merged) for host in explanation.hosts),
        failures=tuple(on_failure(facts.daemon.version)),
        findings=(*findings, *explanation.findings),
    )


def _file_warnings(facts: NodeFacts) -> Iterator[str]:
    """Yield the files that the daemon does not use yet, or that will be overwritten."""
    for path in facts.edited_not_loaded:
        yield f"{path} was edited after {facts.daemon.program} started; not active until a restart"
    if facts.daemon.owner is not None:
        source = facts.daemon.rancher.registries or "its own files"
        yield f"{facts.daemon.owner} generates {facts.config.path} from {source} at every start"


def _with_login_note(request: HostRequest, merged: Mapping[str, Any]) -> HostRequest:
    """Add a note if config.toml has a login for the host; the login itself is never shown."""
    authority = Mirror(url=_with_scheme(request.url)).authority
    if not table(merged, "configs", authority).get("auth"):
        return request
    notes = filter(None, (request.note, "with credentials from config.toml"))
    return replace(request, note=", ".join(notes))


def lookups(registry: str, version: ContainerdVersion) -> Iterator[str]:
    """Yield the names of the folders that containerd looks for; the first that exists wins."""
    host, mark, port = registry.rpartition(":")
    if mark and port.isdigit():
        yield f"{host}_{port}_"
    yield registry
    if supports(version, Feature.DEFAULT_HOSTS):
        yield "_default"


def _explain_folder(
    view: ConfigView, facts: NodeFacts, registry: str, config_path: str
) -> Explanation:
    layer = view.owner("config_path")
    place = layer.path
    for live in view.effective_tables(layer):
        if dig(layer.data, (*live, "config_path")) is not None:
            place = layer.at((*live, "config_path"))
    lists = reads_lists(view)
    bases = hosts_directories(config_path) if lists else (clean_path(config_path),)
    names = list(lookups(registry, view.version))
    folders: list[Folder] = []
    taken = False
    for path in (f"{base}/{name}" for base in bases for name in names):
        there = (
            path in facts.paths.directories or identity_of(facts.paths.entries, path) is not None
        )
        present = FolderState.SHADOWED if taken else FolderState.USED
        folders.append(Folder(path, present if there else FolderState.ABSENT))
        taken = taken or there
    used = next((folder.path for folder in folders if folder.state is FolderState.USED), None)
    hosts, findings = _hosts_of_folder(facts, view.version, registry, used)
    return Explanation(
        registry=registry,
        version=str(view.version),
        way="certs.d",
        decides=f"{place}: config_path = {config_path}",
        folders=tuple(folders),
        hosts=hosts,
        findings=findings,
    )


def _hosts_of_folder(
    facts: NodeFacts, version: ContainerdVersion, registry: str, folder: str | None
) -> tuple[tuple[HostRequest, ...], tuple[str, ...]]:
    """Return the hosts that the folder in use names, and findings; no hosts if every pull fails."""
    if failures := tuple(pull_failures(facts, version, folder)) if folder else ():
        return (), tuple(
            f"{path} {reason}: every pull fails before any host is tried"
            for path, reason in failures
        )
    path = f"{folder}/hosts.toml"
    file = facts.files.get(path) if folder else None
    if folder is None or file is None:
        where = f"{folder} has no hosts.toml" if folder else "no folder for this registry"
        upstream = replace(_upstream(registry, where), note=_upstream_note(facts, folder))
        return (upstream,), ()
    text = decode_hosts(file.content)
    findings = tuple(
        str(finding) for finding in hosts_findings(path, text, version, FindingEffect.NOTES)
    )
    reading = read_hosts(text, version)
    data = reading.data
    if data is None:
        return (_upstream(registry, f"{path} is ignored as a whole"),), findings
    place = _Place(path, reading.text, registry, version)
    hosts = tables(data, "host")
    requests = [
        place.host(url, hosts[url], ("host", url), _setting_names(hosts[url]))
        for url in reading.order
        if url in hosts
    ]
    server = word(data, "server")
    if server and go_host(server, strict=supports(version, Feature.STRICT_URLS)):
        requests.append(place.host(server, data, ("server",), "the server, tried last"))
    else:
        requests.append(_upstream(registry, f"{path} has no server"))
    return tuple(requests), findings


@dataclass(frozen=True, slots=True)
class _Place:
    """A hosts.toml, the registry it is for, and the release of containerd that reads it."""

    path: str
    text: str
    registry: str
    version: ContainerdVersion

    def host(
        self, url: str, about: Mapping[str, Any], at: tuple[str, ...], note: str
    ) -> HostRequest:
        override = bool(about.get("override_path")) and supports(
            self.version, Feature.OVERRIDE_PATH
        )
        mirror = Mirror(url=whole_url(url).rstrip("/"), override_path=override)
        where = f"{self.path}:{line_of(self.text, at)}"
        return HostRequest(
            url, _capabilities(about), where, note, _request_prefix(mirror, base_path(mirror))
        )


def _with_scheme(url: str) -> str:
    """Return a legacy endpoint with the scheme that containerd adds if there is none."""
    if "://" in url:
        return url
    local = url.startswith(("localhost", "127."))
    return f"{'http' if local else 'https'}://{url}"


def _request_prefix(mirror: Mirror, base: str) -> str:
    return f"{mirror.scheme}://{mirror.authority}{base}/"


def _upstream_note(facts: NodeFacts, folder: str | None) -> str:
    """Return a note that names the certificates that count while a folder has no hosts.toml."""
    docker = (".crt", ".cert", ".key")
    names = [
        path.rpartition("/")[2]
        for path in facts.files
        if folder and path.startswith(f"{folder}/") and path.endswith(docker)
    ]
    return f"upstream, with {', '.join(sorted(names))}" if names else "upstream"


def _explain_legacy(view: ConfigView, registry: str, mirrors: Mapping[str, Any]) -> Explanation:
    name = registry if registry in mirrors else "*"
    if name == "*" and registry == "docker.io" and supports(view.version, Feature.DOCKER_IO_PRESET):
        name = registry
    layer = view.owner("mirrors")
    paths = [(*live, "mirrors", name) for live in view.effective_tables(layer)]
    place = next(
        (layer.at(path) for path in paths if dig(layer.data, path) is not None), layer.path
    )
    endpoints = words(table(mirrors, name), "endpoint")
    requests = [_legacy_host(url, place) for url in endpoints]
    own = any(Mirror(url=_with_scheme(url)).authority == registry for url in endpoints)
    last = () if own else (_upstream(registry, "containerd itself, always last"),)
    return Explanation(
        registry=registry,
        version=str(view.version),
        way="legacy",
        decides=f"{place}: registry.mirrors.{name}"
        if requests
        else f"{place}: no settings for {registry}",
        hosts=(*requests, *last),
    )


def _legacy_host(url: str, place: str) -> HostRequest:
    """Return a legacy endpoint as a host: its path is used unchanged, and is /v2 if it has none."""
    mirror = Mirror(url=_with_scheme(url))
    path = mirror.url.partition("://")[2].partition("/")
    base = path[2].rstrip("/") if path[1] else "v2"
    note = "" if base else "the slash at its end leaves out /v2: nothing is found there"
    return HostRequest(
        url, _EVERYTHING, place, note, _request_prefix(mirror, f"/{base}" if base else "")
    )


def _capabilities(host: Mapping[str, Any]) -> tuple[str, ...]:
    return words(host, "capabilities") or _EVERYTHING


def _setting_names(host: Mapping[str, Any]) -> str:
    """Return the names of a host's other settings; the values of headers are never shown."""
    names = [
        key for key in ("ca", "client", "skip_verify", "override_path", "header") if host.get(key)
    ]
    if host.get("dial_timeout"):
        names.append(f"dial_timeout {host['dial_timeout']}")
    return ", ".join(names)


def _upstream(registry: str, where: str) -> HostRequest:
    url = default_server(registry) or f"https://{registry}"
    return HostRequest(url, _EVERYTHING, where, "upstream", f"{url}/v2/")
