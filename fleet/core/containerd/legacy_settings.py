"""Legacy registry settings in config.toml, and their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def has_legacy(registry: Mapping[str, Any]) -> bool:
    """Return whether a registry table has settings that do not work with config_path.

    Some keep CRI from loading, and others are ignored.
    """
    return bool(_table(registry, "mirrors")) or bool(_hosts_with_tls(registry))


def _table(registry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = registry.get(key)
    return value if isinstance(value, Mapping) else {}


def _hosts_with_tls(registry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    configs = _table(registry, "configs").items()
    tables = (
        (host, settings.get("tls")) for host, settings in configs if isinstance(settings, Mapping)
    )
    return {host: tls for host, tls in tables if isinstance(tls, Mapping) and tls}


def legacy_paths(registry: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the paths to remove when config_path is set: the mirrors, and every tls table."""
    if "mirrors" in registry:
        yield ("mirrors",)
    for host, settings in _table(registry, "configs").items():
        if isinstance(settings, Mapping) and "tls" in settings:
            only_tls = set(settings) == {"tls"}
            yield ("configs", host) if only_tls else ("configs", host, "tls")
