"""The files that k3s and RKE2 generate from registries.yaml, compared with what was meant.

At every start they write a config.toml, and a hosts.toml for each registry. Releases before 2024
have the mirrors in config.toml. What they write depends on their release, their flags and the
user's templates, so it is read back. The rules are those of k3s's pkg/agent/containerd/config.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.containerd.registry_url import HUB
from fleet.core.lint.hosts_toml import read_hosts
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import DocumentError, parse_toml, table, tables, word, words
from fleet.core.text.toml_edit import dig

_LOCAL = ("https://127.0.0.1:", "https://[::1]:", "https://localhost:")
"""The beginning of the URL of k3s's embedded registry, which it adds by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedHost:
    """A host that is asked for a registry's images, with its TLS settings and rewrites."""

    url: str
    override_path: bool = False
    ca: str = ""
    client: tuple[str, str] = ("", "")
    skip_verify: bool = False
    rewrite: frozenset[tuple[str, str]] = frozenset()

    @property
    def has_tls(self) -> bool:
        """Return whether the host has TLS settings."""
        return bool(self.ca or any(self.client) or self.skip_verify)

    def differences(self, other: GeneratedHost) -> Iterator[str]:
        """Yield the settings of this host that another one with its URL does not have."""
        if self.ca != other.ca:
            yield f"ca {self.ca or 'unset'}"
        if self.client != other.client:
            yield f"the client certificate {self.client[0] or 'unset'}"
        if self.skip_verify != other.skip_verify:
            yield "skip_verify" if self.skip_verify else "the check of its certificate"
        if self.override_path != other.override_path:
            yield "override_path" if self.override_path else "the path /v2"
        if self.rewrite != other.rewrite:
            yield "its rewrites"


@dataclass(frozen=True, slots=True)
class GeneratedRegistry:
    """A registry and its hosts in order; `upstream` is the last one unless it must not be asked."""

    name: str
    hosts: tuple[GeneratedHost, ...]
    upstream: GeneratedHost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedFiles:
    """All that a distribution should generate; `logins` are hosts with credentials."""

    owner: str
    config: str
    folder: str
    version: ContainerdVersion
    registries: tuple[GeneratedRegistry, ...]
    logins: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    never: bool = field(default=False)
    """Whether no registry itself is asked, for the registries of registries.yaml."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of all files to read back."""
        names = (registry.name for registry in self.registries)
        return (self.config, *(path for name in names for path in self.hosts_paths(name)))

    def hosts_paths(self, name: str) -> tuple[str, ...]:
        """Return the paths at which a registry's hosts.toml may be, as containerd looks it up."""
        host, colon, port = name.rpartition(":")
        other = (f"{self.folder}/{host}_{port}_/hosts.toml",) if colon and port.isdigit() else ()
        return (*other, f"{self.folder}/{name}/hosts.toml")


def meant_files(
    base: GeneratedFiles, names: Iterable[str], data: Mapping[str, Any], logins: Iterable[str]
) -> GeneratedFiles:
    """Return what should be generated for registries of a parsed registries.yaml."""
    configs = table(data, "configs")
    registries = (_meant_registry(name, data, configs, never=base.never) for name in names)
    return replace(base, registries=tuple(registries), logins=tuple(logins))


def _meant_registry(
    name: str, data: Mapping[str, Any], configs: Mapping[str, Any], *, never: bool
) -> GeneratedRegistry:
    entry = table(table(data, "mirrors"), "*" if name == "_default" else name)
    rewrites = frozenset((key, str(value)) for key, value in table(entry, "rewrite").items())
    urls = words(entry, "endpoint")
    hosts = tuple(replace(_meant_host(url, configs), rewrite=rewrites) for url in urls)
    asked = name != "_default" and (not never or name in configs)
    upstream = _meant_host(name, configs, name) if asked else None
    return GeneratedRegistry(name, hosts, upstream)


def _meant_host(
    endpoint: str, configs: Mapping[str, Any], registry: str | None = None
) -> GeneratedHost:
    """Return a host as k3s finds its settings: Docker Hub has two names, and one comes first."""
    url, override = _normal_url(endpoint)
    authority = url.partition("://")[2].partition("/")[0]
    names = (registry or authority, authority)
    if url.startswith(f"{HUB}/") and registry is None:
        names = (authority, "docker.io")
    config = next((table(configs, name) for name in names if name in configs), {})
    tls = table(config, "tls")
    return GeneratedHost(
        url=url,
        override_path=override,
        ca=word(tls, "ca_file"),
        client=(word(tls, "cert_file"), word(tls, "key_file")),
        skip_verify=tls.get("insecure_skip_verify") is True,
    )


def _normal_url(endpoint: str) -> tuple[str, bool]:
    """Return an endpoint as k3s writes it, and whether its path is used as it is."""
    scheme, mark, rest = endpoint.partition("://")
    if not mark:
        rest, scheme = endpoint, ""
    authority, _, path = rest.partition("/")
    host, colon, port = authority.rpartition(":")
    if not scheme:
        local = host in {"localhost", "127.0.0.1", "[::1]"} and colon and port != "443"
        scheme = "http" if local else "https"
    authority = "registry-1.docker.io" if authority == "docker.io" else authority
    usual = path in {"", "v2"}
    return f"{scheme}://{authority}/{'v2' if usual else path}", not usual


def generated_problems(meant: GeneratedFiles, files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield what a distribution generated otherwise than meant."""
    content = files.get(meant.config)
    if content is None:
        yield f"{meant.owner} wrote no {meant.config}"
        return
    try:
        registry = effective_registry(parse_toml(content.decode("utf-8", "replace")))
    except DocumentError as error:
        yield f"{meant.config} is not TOML ({error})"
        return
    if meant.folder in word(registry, "config_path").split(":"):
        for item in meant.registries:
            yield from _hosts_problems(meant, item, files)
    elif registry.get("mirrors"):
        for item in meant.registries:
            yield from _table_problems(meant, item, registry)
    else:
        reason = f": it comes from your {meant.templates[-1]}" if meant.templates else ""
        yield f"{meant.config} names no hosts directory and no mirrors{reason}"
        return
    for host in meant.logins:
        if not dig(registry, ("configs", host, "auth")):
            yield f"{meant.config} has no login for {host}"


def _hosts_problems(
    meant: GeneratedFiles, registry: GeneratedRegistry, files: Mapping[str, bytes]
) -> Iterator[str]:
    """Yield what is wrong with the hosts.toml of one registry."""
    path = next((path for path in meant.hosts_paths(registry.name) if path in files), None)
    expected = _unique((*registry.hosts, registry.upstream))
    if path is None:
        upstream = registry.upstream.url if registry.upstream else ""
        if any(host.url != upstream or host.has_tls for host in expected):
            yield f"{meant.owner} wrote no hosts.toml for {registry.name} below {meant.folder}"
        return
    reading = read_hosts(decode_hosts(files[path]), meant.version)
    if reading.data is None:
        reasons = "; ".join(message for code, message in reading.defects if code != "hosts-misread")
        yield f"{path}: {reasons}"
        return
    wanted = {host.url for host in expected}
    hosts = tables(reading.data, "host")
    found = [_read_host(url, table(hosts, url)) for url in reading.order]
    found = [host for host in found if host.url in wanted or not host.url.startswith(_LOCAL)]
    if server := word(reading.data, "server"):  # rewrites do not apply to the registry itself
        last = _read_host(server, reading.data)
        rewrites = {host.url: host.rewrite for host in expected}
        found.append(replace(last, rewrite=rewrites.get(last.url, frozenset())))
    yield from _compare(path, expected, _unique(found), meant)


def _read_host(url: str, settings: Mapping[str, Any]) -> GeneratedHost:
    normal, override = _normal_url(url)
    client = settings.get("client")
    pair = client[0] if isinstance(client, list) and client else client
    names = [text for text in pair if isinstance(text, str)] if isinstance(pair, list) else []
    rewrites = table(settings, "rewrite").items()
    return GeneratedHost(
        url=normal,
        override_path=override and settings.get("override_path") is True,
        ca=word(settings, "ca") or next(iter(words(settings, "ca")), ""),
        client=(names[0], names[1]) if len(names) == 2 else ("", ""),
        skip_verify=settings.get("skip_verify") is True,
        rewrite=frozenset((key, str(value)) for key, value in rewrites),
    )


def _unique(hosts: Iterable[GeneratedHost | None]) -> tuple[GeneratedHost, ...]:
    """Return the hosts without those whose URL was there before."""
    first: dict[str, GeneratedHost] = {}
    for host in hosts:
        if host is not None:
            first.setdefault(host.url, host)
    return tuple(first.values())


def _compare(
    path: str,
    expected: tuple[GeneratedHost, ...],
    found: tuple[GeneratedHost, ...],
    meant: GeneratedFiles,
) -> Iterator[str]:
    urls, actual = [host.url for host in expected], [host.url for host in found]
    if meant.never and actual[: len(urls)] == urls and len(actual) > len(urls):
        flag = "--disable-default-registry-endpoint has no effect"
        yield f"{path} falls back to {actual[-1]}: {flag}"
    elif urls != actual:
        yield f"{path} has {', '.join(actual) or 'no host'}, and not {', '.join(urls)}"
    by_url = {host.url: host for host in found}
    for host in expected:
        if other := by_url.get(host.url):
            for difference in host.differences(other):
                yield f"{path}: {host.url} lacks {difference}"


def _table_problems(
    meant: GeneratedFiles, registry: GeneratedRegistry, settings: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with the mirrors of one registry in config.toml."""
    name = "*" if registry.name == "_default" else registry.name
    entry = table(tables(settings, "mirrors"), name)
    configs = table(settings, "configs")
    rewrites = frozenset((key, str(value)) for key, value in table(entry, "rewrite").items())
    hosts = (_meant_host(url, configs) for url in words(entry, "endpoint"))
    found = _unique(replace(host, rewrite=rewrites) for host in hosts)
    expected = _unique(registry.hosts)
    if meant.never:
        yield f"{meant.config}: this release of {meant.owner} always falls back to {name}"
    if expected:
        place = f"{meant.config} ({name})"
        yield from _compare(place, expected, found, replace(meant, never=False))
