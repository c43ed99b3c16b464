"""Legacy registry settings in config.toml, and their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.text.documents import table


def has_legacy(registry: Mapping[str, Any]) -> bool:
    """Return whether a registry table has settings that do not work with config_path.

    Some keep CRI from loading, and others are ignored.
    """
    return bool(table(registry, "mirrors")) or bool(hosts_with_tls(registry))


def hosts_with_tls(registry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the TLS settings of each host that has some."""
    configs = table(registry, "configs").items()
    tables = (
        (host, settings.get("tls")) for host, settings in configs if isinstance(settings, Mapping)
    )
    return {host: tls for host, tls in tables if isinstance(tls, Mapping) and tls}


def legacy_paths(registry: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the paths to remove when config_path is set: the mirrors, and every tls table."""
    if "mirrors" in registry:
        yield ("mirrors",)
    for host, settings in table(registry, "configs").items():
        if isinstance(settings, Mapping) and "tls" in settings:
            only_tls = set(settings) == {"tls"}
            yield ("configs", host) if only_tls else ("configs", host, "tls")
