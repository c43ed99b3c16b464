"""The endpoints of a registry: fleet's key `endpoints`, and `endpoint` as k3s and RKE2 read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.host_configs import HostConfigs
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import is_upstream, with_scheme
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.text.yaml import MappingEntry, Value

_K3S_KEYS = {"endpoint", "rewrite"}
"""The keys of a registry in registries.yaml. None of them is required there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRegistry:
    """A registry without its endpoints, which are read next."""

    name: str
    default: Mirror
    fallback: bool = True
    rewrites: bool = False
    base: Registry | None = None


class EndpointLists:
    """Reads the lists of endpoints.

    k3s and RKE2 take an endpoint without a scheme, add nothing to a path, skip one that is listed
    twice, and accept the registry itself and a registry without endpoints.
    """

    def __init__(self, reader: Reader, hosts: HostReader, configs: HostConfigs) -> None:
        self._reader, self._hosts, self._configs = reader, hosts, configs

    def read(self, entry: MappingEntry, place: str, registry: ListedRegistry) -> tuple[Mirror, ...]:
        """Return the endpoints of a registry in order, with the settings of their hosts."""
        body = self._reader.mapping(entry.value, place)
        key = "endpoints" if "endpoints" in body else "endpoint"
        if "endpoints" in body and "endpoint" in body:
            text = "endpoint and endpoints are the same key"
            self._reader.error(body["endpoint"].key, place, text)
        if key not in body:
            return self._without_endpoints(entry, place, body, registry)
        value, where = body[key].value, f"{place}.{key}"
        by_k3s = key == "endpoint"
        if by_k3s and value.data in (None, ()):
            return self._without_endpoints(entry, place, {}, registry)
        items = self._reader.items(value, where)
        if isinstance(value.data, tuple) and not value.data:
            self._reader.error(value, where, "is empty: add a mirror, or remove the registry")
        if by_k3s:
            return self._by_k3s(items, where, registry)
        return self._strict(items, where, registry)

    def _without_endpoints(
        self, entry: MappingEntry, place: str, keys: Iterable[str], registry: ListedRegistry
    ) -> tuple[Mirror, ...]:
        mirrors = registry.base.mirrors if registry.base else ()
        if mirrors:
            return mirrors
        if not registry.fallback or not _K3S_KEYS.issuperset(keys):
            self._reader.error(entry.key, place, "needs endpoints")
        else:
            text = "has no endpoints: only the embedded registry of k3s and RKE2 can serve it"
            self._reader.warn(entry.key, place, text)
        return ()

    def _strict(
        self, items: tuple[Value, ...], where: str, registry: ListedRegistry
    ) -> tuple[Mirror, ...]:
        mirrors: dict[str, tuple[Mirror, int]] = {}
        for number, item in enumerate(items):
            mirror = self._hosts.endpoint(item, f"{where}[{number}]", registry.default)
            if mirror is None:
                continue
            if mirror.url in mirrors:
                text = f"{mirror.url} is listed twice (first on line {mirrors[mirror.url][1]})"
                self._reader.error(item, where, text)
            if is_upstream(mirror.url, registry.name):
                text = f"{mirror.url} is {registry.name} itself, not a mirror of it: remove it"
                self._reader.error(item, where, text)
            mirrors.setdefault(mirror.url, (self._configs.applied(item, where, mirror), item.line))
        return tuple(mirror for mirror, _ in mirrors.values())

    def _by_k3s(
        self, items: tuple[Value, ...], where: str, registry: ListedRegistry
    ) -> tuple[Mirror, ...]:
        mirrors: dict[str, Mirror] = {}
        for number, item in enumerate(items):
            whole, default = _as_k3s_reads(item, registry.default)
            mirror = self._hosts.endpoint(whole, f"{where}[{number}]", default)
            if mirror is None:
                continue
            if mirror.url in mirrors:
                self._reader.warn(item, where, f"{mirror.url} is listed twice")
            if is_upstream(mirror.url, registry.name) and number + 1 < len(items):
                text = (
                    f"{mirror.url} is {registry.name} itself: mirrors below it are asked after it"
                )
                self._reader.warn(item, where, text)
            mirrors.setdefault(mirror.url, self._configs.applied(item, where, mirror))
        left = _without_last_upstream(tuple(mirrors.values()), registry)
        if mirrors and not left:
            self._reader.warn(items[-1], where, f"{registry.name} has no mirror beside itself")
        return left


def _without_last_upstream(
    mirrors: tuple[Mirror, ...], registry: ListedRegistry
) -> tuple[Mirror, ...]:
    """Return the mirrors without the registry itself at the end, where the fallback is anyway.

    A rewrite is not applied to the fallback, and without a fallback it is asked as a mirror.
    """
    own = bool(mirrors) and is_upstream(mirrors[-1].url, registry.name)
    return mirrors[:-1] if own and registry.fallback and not registry.rewrites else mirrors


def _as_k3s_reads(item: Value, default: Mirror) -> tuple[Value, Mirror]:
    """Return an endpoint with a scheme, and a default that takes its path as it is."""
    if not isinstance(item.data, str):
        return item, default
    text = with_scheme(item.data)
    path = text.partition("://")[2].partition("/")[2]
    if path.rstrip("/") not in {"", "v2"}:
        default = replace(default, override_path=True)
    return Value(text, text, item.line, item.column), default
