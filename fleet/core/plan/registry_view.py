"""A view of a node's registry files: registries with their mirrors, and hosts with their logins."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.containerd.registry_url import default_server, is_upstream
from fleet.core.model.change import ManagedFile
from fleet.core.text.documents import DocumentError, parse_toml, table, tables, word, words
from fleet.core.text.yaml import parse_yaml, plain
from fleet.errors import FleetError

_PORT = re.compile(r"(.+)_([0-9]+)_")
_SHOWN = ("capabilities", "override_path", "skip_verify", "dial_timeout", "ca", "client")


@dataclass(frozen=True, slots=True)
class RegistryView:
    """The mirrors of a registry in order, with their settings; headers are digests."""

    mirrors: tuple[str, ...]
    settings: Mapping[str, Mapping[str, str]]
    server: str | None = None
    fallback: bool = True


@dataclass(frozen=True, slots=True)
class HostView:
    """The settings of a host for all registries; the login is a digest."""

    login: str | None = None
    tls: str | None = None


@dataclass(slots=True)
class View:
    """All that registry files have settings for; certificates are digests by folder and name."""

    registries: dict[str, RegistryView] = field(default_factory=dict)
    hosts: dict[str, HostView] = field(default_factory=dict)
    certificates: dict[tuple[str, str], str] = field(default_factory=dict)
    config_paths: dict[str, str] = field(default_factory=dict)

    def add(self, other: View) -> None:
        """Add the settings of another file."""
        self.registries.update(other.registries)
        self.hosts.update(other.hosts)
        self.certificates.update(other.certificates)
        self.config_paths.update(other.config_paths)


def read_view(path: str, file: ManagedFile | None) -> View:
    """Return the view of one file; it is empty if the file is missing or cannot be parsed."""
    if file is None:
        return View()
    folder, _, name = path.rpartition("/")
    registry = registry_of(folder.rpartition("/")[2])
    if name.endswith((".pem", ".crt", ".cert", ".key")):
        return View(certificates={(registry, name): file.digest})
    text = decode_hosts(file.content)
    try:
        if name == "hosts.toml":
            return View(registries={registry: _read_hosts(registry, parse_toml(text))})
        if name.endswith(".toml"):
            return _read_table(path, effective_registry(parse_toml(text)))
        if name.endswith(".yaml"):
            return _read_table(path, plain(parse_yaml(text, path, [])))
    except (DocumentError, FleetError):
        pass
    return View()


def registry_of(folder: str) -> str:
    """Return the registry of a folder of certs.d; `host_5000_` is another form of host:5000."""
    match = _PORT.fullmatch(folder)
    return f"{match[1]}:{match[2]}" if match else folder


def _read_hosts(name: str, data: Mapping[str, Any]) -> RegistryView:
    """Read a hosts.toml: without a fallback the last mirror is the server, with its settings."""
    hosts = tables(data, "host")
    server = word(data, "server")
    never = bool(server) and "capabilities" in data
    usual = never or not server or server == default_server(name)
    urls = list(hosts)
    if never and server not in hosts:
        urls.append(server)
    settings = {url: dict(_settings(hosts.get(url, data))) for url in urls}
    return RegistryView(tuple(urls), settings, None if usual else server, fallback=not never)


def _settings(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _SHOWN:
        if about.get(key) and (key, about[key]) != ("capabilities", ["pull", "resolve"]):
            value = about[key]
            yield key, value if isinstance(value, str) else json.dumps(value, default=str)
    if about.get("header"):
        yield "header", _digest(about["header"])


def _read_table(path: str, registry: Any) -> View:
    """Read a registry table of config.toml, or a registries.yaml, which has the same keys."""
    if not isinstance(registry, Mapping):
        return View()
    view = View()
    for name, entry in tables(registry, "mirrors").items():
        urls = dict.fromkeys(words(entry, "endpoint"))
        mirrors = tuple(url for url in urls if not is_upstream(url, name))
        if mirrors:
            shown = "_default" if name == "*" else name
            view.registries[shown] = RegistryView(mirrors, {url: {} for url in mirrors})
    for host, entry in tables(registry, "configs").items():
        login, tls = table(entry, "auth"), table(entry, "tls")
        view.hosts[host] = HostView(
            _digest(login) if login else None,
            json.dumps(tls, default=str, sort_keys=True) if tls else None,
        )
    if folder := word(registry, "config_path"):
        view.config_paths[path] = folder
    return view


def _digest(value: Any) -> str:
    text = json.dumps(value, default=str, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
