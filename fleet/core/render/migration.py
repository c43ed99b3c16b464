"""Migration of legacy registry settings in config.toml to certs.d."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.core.containerd.legacy_settings import hosts_with_tls
from fleet.core.containerd.registry_url import (
    HUB,
    default_server,
    normal_url,
    path_of,
    registry_problem,
    url_problem,
)
from fleet.core.failure import FIX_BY_HAND, FailureKind, NodeError, Step
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.text.documents import table, word, words

_LOOPBACK = ("localhost", "127.", "[::1]")


_MOST_NAMES = 5


_NO_HOSTS = {"docker.io", "index.docker.io"}
"""Names of Docker Hub that serve no images: its registry has another name."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Legacy TLS settings of one host, as paths on the node."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    skip_verify: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the files that must be on the node."""
        return tuple(path for path in (self.ca, self.cert, self.key) if path)


@dataclass(frozen=True, slots=True)
class Migration:
    """The result of a migration: registries, TLS by host, and notes for the user."""

    registries: tuple[Registry, ...]
    tls: Mapping[str, Tls]
    notes: tuple[str, ...]

    def dressed(self, registry: Registry) -> Registry:
        """Return a registry whose hosts have their legacy TLS settings, unless they have their own.

        Without them a mirror would fail and pulls would silently go upstream. A pull from an
        upstream without them would fail.
        """
        mirrors = tuple(self._with_legacy_tls(mirror) for mirror in registry.mirrors)
        upstream = registry.upstream
        if registry.fallback and registry.server is not None:
            bare = upstream or Mirror(url=registry.server)
            dressed = self._with_legacy_tls(bare)
            upstream = upstream if dressed == bare else dressed
        return replace(registry, mirrors=mirrors, upstream=upstream)

    def _with_legacy_tls(self, mirror: Mirror) -> Mirror:
        tls = self.tls.get(mirror.authority) or self.tls.get(f"{mirror.authority}:443")
        if tls is None or mirror.has_tls or mirror.scheme == "http":
            return mirror
        return _with_tls(mirror, tls)


def migrate(registry: Mapping[str, Any], place: str) -> Migration:
    """Translate a merged legacy registry table; `place` names it in messages.

    Mirrors and TLS settings of the same registry become one hosts.toml.
    """
    notes: list[str] = []
    tls = {host: _tls(host, settings, place) for host, settings in hosts_with_tls(registry).items()}
    mirrors = table(registry, "mirrors")
    wildcard = _endpoints(mirrors.get("*"), "_default", place) if "*" in mirrors else None
    registries: dict[str, Registry] = {}
    served: set[str] = set()
    endpoint_hosts: set[str] = set()
    for name, entry in mirrors.items():
        key = "_default" if name == "*" else name
        problem = None if key == "_default" else registry_problem(name)
        if problem:
            raise _refused(f"{place}: mirrors: {problem}", FIX_BY_HAND)
        if name == "_default":
            notes.append("mirrors._default is dropped: no registry has that name")
            continue
        if isinstance(entry, Mapping) and entry.get("rewrite"):
            message = f"{place}: mirrors.{name}.rewrite: only the containerd of k3s supports it"
            raise _refused(message, "remove it")
        endpoints = _endpoints(entry, key, place)
        endpoint_hosts |= {endpoint.host for endpoint in endpoints}
        notes += [note for endpoint in endpoints for note in endpoint.notes]
        migrated = _registry(key, endpoints, tls, wildcard=wildcard is not None)
        if migrated:
            registries[key] = migrated
            served |= _upstream_hosts(migrated)
    # A host may be a mirror of one registry and a registry itself.
    unserved = [host for host in tls if host not in served]
    own = [host for host in unserved if "://" not in host and not registry_problem(host)]
    own = [host for host in own if host not in _NO_HOSTS]
    for host in own:
        migrated = _own_registry(host, tls, wildcard or [])
        registries[migrated.name] = migrated
    if own:
        notes.append(f"TLS settings of {shortened_list(own)} move to a hosts.toml for each host")
    dead = [host for host in unserved if host not in {*own, *endpoint_hosts}]
    if dead:
        notes.append(
            f"TLS settings of {shortened_list(dead)} are dropped: no image has a host of that name,"
            " so containerd never uses them"
        )
    return Migration(tuple(registries.values()), tls, tuple(dict.fromkeys(notes)))


def shortened_list(names: Collection[str]) -> str:
    """Join names for a note; after the first few, add how many more there are."""
    first = list(names)[:_MOST_NAMES]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def _endpoints(entry: Any, registry: str, place: str) -> list[_Endpoint]:
    return [_Endpoint(url, registry, place) for url in words(entry, "endpoint")]


def _upstream_hosts(registry: Registry) -> set[str]:
    """Return the host of a registry's own server, in the form that legacy settings use as a key."""
    return {registry.server.partition("://")[2]} if registry.server else set()


def _own_registry(host: str, tls: Mapping[str, Tls], wildcard: list[_Endpoint]) -> Registry:
    """Return a host as a registry of its own; its folder takes precedence over the wildcard's."""
    name = "docker.io" if f"https://{host}" == HUB else host
    endpoints = [*wildcard, _Endpoint(f"https://{host}", name, "configs")]
    hosts = {endpoint.url: _mirror_with_tls(endpoint, tls) for endpoint in reversed(endpoints)}
    urls = dict.fromkeys(endpoint.url for endpoint in endpoints)
    server = f"https://{host}"
    return Registry(
        name=name,
        server=server,
        mirrors=tuple(hosts[url] for url in urls),
        upstream=_with_tls(Mirror(url=server), tls[host]),
    )


class _Endpoint:
    """One endpoint, read by legacy's rules."""

    def __init__(self, text: str, registry: str, place: str) -> None:
        self.notes: list[str] = []
        url = text if "://" in text else f"{_scheme(text)}://{text}"
        problem = url_problem(url)
        if problem:
            raise _refused(f"{place}: mirrors.{registry}: {problem}", FIX_BY_HAND)
        if url.endswith("/") and not path_of(normal_url(url)):
            self.notes.append(
                f"{text} ends in a slash, so legacy settings left out /v2; hosts.toml adds it"
            )
        self.host = url.partition("://")[2].partition("/")[0]
        self.url = normal_url(url)
        if self.url == "https://docker.io" and registry == "docker.io":
            self.url = HUB
            self.notes.append("https://docker.io serves no images: replaced by Docker Hub's server")
        if not path_of(self.url):
            self.url = self.url.removesuffix("/v2")


def _scheme(text: str) -> str:
    return "http" if text.startswith(_LOOPBACK) else "https"


def _registry(
    name: str, endpoints: list[_Endpoint], tls: Mapping[str, Tls], *, wildcard: bool
) -> Registry | None:
    """Return the registry; None if legacy has no endpoint and no wildcard to keep it out of."""
    server = default_server(name)
    own = tls.get(server.partition("://")[2]) if server else None
    mirrors = {endpoint.url: _mirror_with_tls(endpoint, tls) for endpoint in reversed(endpoints)}
    hosts = [mirrors[url] for url in dict.fromkeys(endpoint.url for endpoint in endpoints)]
    if (
        server is not None
        and hosts
        and own is not None
        and all(mirror.url != server for mirror in hosts)
    ):
        hosts.append(_with_tls(Mirror(url=server), own))
    if hosts and hosts[-1].url == server and len(hosts) > 1 and own is None:
        hosts.pop()  # containerd asks the upstream last by itself.
    if not hosts:
        if not wildcard or server is None:
            return None
        hosts = [Mirror(url=server)]  # An empty list keeps it out of the wildcard.
        hosts = [_with_tls(hosts[0], own)] if own is not None else hosts
    upstream = (
        _with_tls(Mirror(url=server), own) if server is not None and own is not None else None
    )
    return Registry(name=name, server=server, mirrors=tuple(hosts), upstream=upstream)


def _mirror_with_tls(endpoint: _Endpoint, tls: Mapping[str, Tls]) -> Mirror:
    """Return an endpoint as a mirror, with the TLS settings that the daemon looks up for it."""
    mirror = Mirror(url=endpoint.url, override_path=bool(path_of(endpoint.url)))
    settings = tls.get(endpoint.host)
    if settings is None or mirror.scheme != "https":
        return mirror
    return _with_tls(mirror, settings)


def _with_tls(mirror: Mirror, tls: Tls) -> Mirror:
    pair = ((tls.cert, tls.key),) if tls.cert and tls.key else ()
    return replace(
        mirror,
        ca_paths=(tls.ca,) if tls.ca else (),
        client_paths=pair,
        skip_verify=tls.skip_verify,
    )


def _tls(host: str, settings: Mapping[str, Any], place: str) -> Tls:
    paths = {}
    for key in ("ca_file", "cert_file", "key_file"):
        text = word(settings, key)
        if not text.isprintable():
            what = f"configs.{host}.tls.{key} contains control characters"
            raise _refused(f"{place}: {what}", FIX_BY_HAND)
        # A daemon under systemd runs in /, so a relative path starts there.
        paths[key] = ("" if not text or text.startswith("/") else "/") + text or None
    if bool(paths["cert_file"]) != bool(paths["key_file"]):
        message = f"{place}: configs.{host}.tls has only one of cert_file and key_file"
        raise _refused(message, "set both by hand")
    skip = settings.get("insecure_skip_verify") is True
    return Tls(paths["ca_file"], paths["cert_file"], paths["key_file"], skip)


def _refused(message: str, remedy: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
