"""Why a node pulls a registry's images from where it does: which file decides, and what is asked.

Rests on the node's own files and on what its release of containerd is known to do with them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.core.capabilities import Feature, can
from fleet.core.facts import NodeFacts
from fleet.core.findings import Verdict
from fleet.core.hosts_lint import hosts_findings
from fleet.core.layers import ConfigView, config_view
from fleet.core.lint import lint, reads_lists
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.toml_edit import dig
from fleet.core.toml_text import statements
from fleet.core.urls import default_server
from fleet.core.versions import ContainerdVersion

_EVERYTHING = ("pull", "resolve", "push")


@dataclass(frozen=True, slots=True)
class Asked:
    """One host that containerd asks, in order: for what, and which line of which file says so."""

    url: str
    capabilities: tuple[str, ...]
    where: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder that containerd looks for: `used`, `shadowed` or `absent`."""

    path: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What decides about one registry on one node; `way` is certs.d, legacy or nothing."""

    registry: str
    version: str
    way: str
    decides: str
    folders: tuple[Folder, ...] = ()
    hosts: tuple[Asked, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    findings: tuple[str, ...] = ()


def explain(facts: NodeFacts, registry: str) -> Explanation:
    """Explain one registry of one node; raise a NodeError where its files cannot be read."""
    if facts.version is None:
        message = f"no containerd answers here (unit {facts.unit.load})"
        raise NodeError(FailureKind.UNSUPPORTED, "explain", message)
    view = config_view(facts, facts.version, "")
    merged = view.merged()
    found = tuple(str(each) for each in lint(view, facts))
    if merged.get("config_path") and can(facts.version, Feature.CONFIG_PATH):
        told = _by_folder(view, facts, registry, str(merged["config_path"]))
    elif merged.get("mirrors"):
        told = _by_mirrors(view, registry, merged["mirrors"])
    else:
        reason = "neither config_path nor mirrors is set"
        told = Explanation(
            registry=registry,
            version=str(facts.version),
            way="nothing",
            decides=f"{view.root.path}: {reason}",
            hosts=(_upstream(registry, "containerd itself"),),
        )
    failures = tuple(_failures(facts.version))
    return replace(told, failures=failures, findings=(*found, *told.findings))


def lookups(registry: str, version: ContainerdVersion) -> Iterator[str]:
    """Yield the names of the folders that containerd looks for; the first that is there wins."""
    host, mark, port = registry.rpartition(":")
    if mark and port.isdigit():
        yield f"{host}_{port}_"
    yield registry
    if can(version, Feature.DEFAULT_HOSTS):
        yield "_default"


def _by_folder(view: ConfigView, facts: NodeFacts, registry: str, config_path: str) -> Explanation:
    layer = view.owner("config_path")
    place = layer.path
    for table in view.live(layer):
        if dig(layer.data, (*table, "config_path")) is not None:
            place = layer.at((*table, "config_path"))
    bases = config_path.split(":") if reads_lists(view) else [config_path]
    names = list(lookups(registry, view.version))
    folders: list[Folder] = []
    for path in (f"{base}/{name}" for base in bases for name in names):
        there = path in facts.directories
        taken = any(each.state == "used" for each in folders)
        folders.append(Folder(path, ("shadowed" if taken else "used") if there else "absent"))
    used = next((each.path for each in folders if each.state == "used"), None)
    hosts, findings = _asked(facts, view.version, registry, used)
    return Explanation(
        registry=registry,
        version=str(view.version),
        way="certs.d",
        decides=f"{place}: config_path = {config_path}",
        folders=tuple(folders),
        hosts=hosts,
        findings=findings,
    )


def _asked(
    facts: NodeFacts, version: ContainerdVersion, registry: str, folder: str | None
) -> tuple[tuple[Asked, ...], tuple[str, ...]]:
    """Read the hosts.toml of the folder that wins."""
    path = f"{folder}/hosts.toml"
    kept = facts.files.get(path) if folder else None
    if kept is None:
        where = f"{folder} has no hosts.toml" if folder else "no folder of this registry"
        return (_upstream(registry, where),), ()
    text = kept.content.decode("utf-8", "replace")
    bad = list(hosts_findings(path, text, version, Verdict.NOTES))
    told = tuple(str(each) for each in bad)
    if any(each.code == "hosts-refused" for each in bad):
        return (_upstream(registry, f"{path} is ignored whole"),), told
    data = tomllib.loads(text)
    hosts = data.get("host") or {}
    asked = [
        Asked(url, _capabilities(host), f"{path}:{_line(text, ('host', url))}", _extras(host))
        for url, host in hosts.items()
    ]
    server = data.get("server")
    if server:
        where = f"{path}:{_line(text, ('server',))}"
        asked.append(Asked(str(server), _capabilities(data), where, "the server, asked last"))
    else:
        asked.append(_upstream(registry, f"{path} names no server"))
    return tuple(asked), told


def _by_mirrors(view: ConfigView, registry: str, mirrors: Mapping[str, Any]) -> Explanation:
    name = registry if registry in mirrors else "*"
    layer = view.owner("mirrors")
    paths = [(*table, "mirrors", name) for table in view.live(layer)]
    place = next(
        (layer.at(each) for each in paths if dig(layer.data, each) is not None), layer.path
    )
    endpoints = [str(each) for each in (mirrors.get(name) or {}).get("endpoint", ())]
    asked = [Asked(url, _EVERYTHING, place) for url in endpoints]
    return Explanation(
        registry=registry,
        version=str(view.version),
        way="legacy",
        decides=f"{place}: registry.mirrors.{name}"
        if asked
        else f"{place}: nothing says {registry}",
        hosts=(*asked, _upstream(registry, "containerd itself, always last")),
    )


def _capabilities(host: Mapping[str, Any]) -> tuple[str, ...]:
    said = host.get("capabilities")
    return tuple(str(each) for each in said) if isinstance(said, list) and said else _EVERYTHING


def _extras(host: Mapping[str, Any]) -> str:
    """Name what else a host is asked with; never what stands in a header."""
    said = [
        key for key in ("ca", "client", "skip_verify", "override_path", "header") if host.get(key)
    ]
    if host.get("dial_timeout"):
        said.append(f"dial_timeout {host['dial_timeout']}")
    return ", ".join(said)


def _line(text: str, path: tuple[str, ...]) -> int:
    found = next((each for each in statements(text) if each.below(path)), None)
    return text[: found.start].count("\n") + 1 if found else 1


def _upstream(registry: str, where: str) -> Asked:
    return Asked(default_server(registry) or f"https://{registry}", _EVERYTHING, where, "upstream")


def _failures(version: ContainerdVersion) -> Iterator[tuple[str, str]]:
    """Yield what this release does when a host fails, as tried on its daemons."""
    yield "refused, reset, no DNS, bad certificate", "the next host, at once"
    wait = "dial_timeout" if can(version, Feature.DIAL_TIMEOUT) else "30 s"
    yield "packets dropped", f"the next host after {wait} for every request"
    gives_up = can(version, Feature.RESPONSE_TIMEOUT)
    yield (
        "connects and never answers",
        "the next host after 30 s" if gives_up else "it waits, and asks no other host",
    )
    yield "401 without challenge, 403, 404, 5xx", "the next host"
    yield "401 with a Bearer challenge", "a token is fetched, and the host asked again"
    yield "408, 429", "up to six more requests, then the next host"
    yield "200 with a web page (portal, single sign-on)", "the pull fails; no other host is asked"
    yield "has the manifest, not the blob", "that blob from the next host"
