"""The `configs` of mirrors.yaml: TLS and credentials by host, for mirrors and registries."""

from __future__ import annotations

from dataclasses import replace

from fleet.config.mirrors.endpoint import HostConfig, HostReader
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import registry_problem
from fleet.core.model.mirror import Mirror
from fleet.core.text.yaml import Value


class HostConfigs:
    """The settings of every host in `configs`; detects hosts that no endpoint or registry has."""

    def __init__(self, reader: Reader, hosts: HostReader) -> None:
        self._reader, self._hosts = reader, hosts
        self._found: dict[str, HostConfig] = {}
        self._used: set[str] = set()

    def read(self, value: Value) -> None:
        """Read the whole section."""
        for host, entry in self._reader.mapping(value, "configs").items():
            problem = registry_problem(host)
            if problem is not None:
                self._reader.error(entry.key, "configs", problem)
                continue
            config = self._hosts.config(host, entry, f"configs.{host}")
            self._found[host.removesuffix(":443")] = config

    def warn_unused(self) -> None:
        """Warn of hosts that no endpoint or registry has."""
        for host, config in self._found.items():
            if host not in self._used:
                text = "no mirror uses this host, so this entry has no effect"
                self._reader.warn(config.at, f"configs.{host}", text)

    def applied(self, item: Value, where: str, mirror: Mirror) -> Mirror:
        """Return a mirror with the settings of its host added."""
        config = self._found.get(mirror.authority)
        if config is None:
            return mirror
        self._used.add(mirror.authority)
        settings = config.mirror
        self._refuse_plain(item, where, mirror, settings)
        return replace(
            mirror,
            ca=mirror.ca or settings.ca,
            client=mirror.client or settings.client,
            skip_verify=mirror.skip_verify or settings.skip_verify,
            auth=settings.auth,
        )

    def upstream(self, server: str | None) -> Mirror | None:
        """Return the settings of the registry's own host; None if it has none."""
        host = Mirror(url=server).authority if server else ""
        config = self._found.get(host)
        if config is None or server is None:
            return None
        self._used.add(host)
        settings = replace(config.mirror, url=server)
        self._refuse_plain(config.at, f"configs.{host}", settings, settings)
        return settings

    def _refuse_plain(self, at: Value, where: str, mirror: Mirror, settings: Mirror) -> None:
        if mirror.scheme == "http" and (settings.ca or settings.client or settings.skip_verify):
            text = f"configs.{mirror.authority}.tls on an http:// endpoint: use https://"
            self._reader.error(at, where, text)
