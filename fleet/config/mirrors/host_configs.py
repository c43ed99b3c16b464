"""The `configs` of mirrors.yaml: TLS and credentials by host, for mirrors and registries."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.host_settings import HostConfig, HostSettingsReader
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import (
    default_server,
    folder_name,
    registry_problem,
)
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.text.yaml import Value

_EVERY_HOST = "_default"


_NO_SERVER = f"https://{_EVERY_HOST}"


class HostConfigs:
    """The settings of every host in `configs`; `*` is every host that has no entry of its own.

    A host that no endpoint has is a registry of its own, as k3s reads it.
    """

    def __init__(self, reader: Reader, hosts: HostReader) -> None:
        self._reader, self._settings = reader, HostSettingsReader(reader, hosts)
        self._found: dict[str, HostConfig] = {}
        self._used: set[str] = set()

    def read(self, value: Value) -> None:
        """Read the whole section."""
        for host, entry in self._reader.mapping(value, "configs").items():
            problem = registry_problem(host)
            if problem is not None:
                self._reader.error(entry.key, "configs", problem)
                continue
            config = self._settings.config(host, entry, f"configs.{host}")
            self._found[_config_key(host)] = config

    def own_registries(self, listed: Collection[str]) -> Iterator[Registry]:
        """Yield the hosts that neither an endpoint nor a listed registry has, as registries."""
        for key, config in self._found.items():
            name = folder_name(key)
            if key in self._used or name in listed:
                continue
            if config.is_empty and _EVERY_HOST not in self._found:
                text = "no mirror uses this host, so this entry has no effect"
                self._reader.warn(config.at, f"configs.{key}", text)
                continue
            server = default_server(name)
            settings = replace(config.mirror, url=server or _NO_SERVER)
            yield Registry(name=name, server=server, mirrors=(), upstream=settings, listed=False)

    def applied(self, item: Value, where: str, mirror: Mirror) -> Mirror:
        """Return a mirror with the settings of its host added."""
        config = self._of(mirror.authority)
        if config is None:
            return mirror
        settings = self._without_plain_tls(item, where, replace(config.mirror, url=mirror.url))
        return replace(
            mirror,
            ca=mirror.ca or settings.ca,
            ca_paths=() if mirror.ca else settings.ca_paths,
            client=mirror.client or settings.client,
            client_paths=() if mirror.client else settings.client_paths,
            skip_verify=mirror.skip_verify or settings.skip_verify,
            auth=settings.auth,
        )

    def upstream(self, server: str | None) -> Mirror | None:
        """Return the settings of the registry's own host; None if it has none.

        The wildcard has no server of its own: it has the settings of `*`.
        """
        settings = Mirror(url=server or _NO_SERVER)
        config = self._of(settings.authority)
        if config is None:
            return None
        where = f"configs.{settings.authority}"
        return self._without_plain_tls(config.at, where, replace(config.mirror, url=settings.url))

    def _of(self, host: str) -> HostConfig | None:
        """Return the settings of a host: its own, or else those of `*`."""
        key = _config_key(host)
        self._used.add(key)
        return self._found.get(key, self._found.get(_EVERY_HOST))

    def _without_plain_tls(self, at: Value, where: str, settings: Mirror) -> Mirror:
        """Return settings without TLS for a host of plain HTTP, with a warning."""
        if settings.scheme != "http" or not settings.has_tls:
            return settings
        text = f"configs.{settings.authority}.tls has no effect on an http:// endpoint"
        self._reader.warn(at, where, text)
        return Mirror(url=settings.url, auth=settings.auth)


def _config_key(host: str) -> str:
    """Return one key for all names of a host: without the default port, Docker Hub's as one."""
    return folder_name(host.removesuffix(":443"))
