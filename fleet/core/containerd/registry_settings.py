"""The settings of a registry table as a release reads them, compared with the intended ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.containerd.features import Feature, supports
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import table, words
from fleet.core.text.toml_scan import dotted

_MOST = 3


_HUB = ["https://registry-1.docker.io"]


_AUTH = ("username", "password", "auth", "identitytoken")


_TLS = ("insecure_skip_verify", "ca_file", "cert_file", "key_file")


def effective(version: ContainerdVersion, registry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a release reads in a registry table: known keys with a value."""
    settings: dict[str, Any] = {}
    path = registry.get("config_path")
    if path and supports(version, Feature.CONFIG_PATH):
        settings["config_path"] = path
    for name, entry in table(registry.get("mirrors")).items():
        settings.setdefault("mirrors", {})[name] = {"endpoint": list(words(entry, "endpoint"))}
    for host, entry in table(registry.get("configs")).items():
        values = dict(_host_settings(version, table(entry)))
        if values:
            settings.setdefault("configs", {})[host] = values
    for url, entry in table(registry.get("auths")).items():
        values = _known_values(table(entry), _AUTH)
        if values:
            settings.setdefault("auths", {})[url] = values
    headers = {name: value for name, value in table(registry.get("headers")).items() if value}
    return {**settings, **({"headers": headers} if headers else {})}


def _host_settings(
    version: ContainerdVersion, entry: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    auth = _known_values(table(entry.get("auth")), _AUTH)
    if auth:
        yield "auth", auth
    tls = _known_values(table(entry.get("tls")), _TLS)
    if tls and supports(version, Feature.LEGACY_TLS):
        yield "tls", tls


def _known_values(entry: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: entry[key] for key in keys if entry.get(key)}


def unequal(intended: Mapping[str, Any], actual: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the paths of all settings that differ between two registry tables.

    The settings of a host are compared as a whole, so the path ends at the host.
    """
    paths: list[tuple[str, ...]] = []
    for key in sorted({*intended, *actual}):
        wanted, found = intended.get(key), actual.get(key)
        if isinstance(wanted or {}, Mapping) and isinstance(found or {}, Mapping):
            wanted_values, found_values = wanted or {}, found or {}
            names = sorted({*wanted_values, *found_values})
            paths += [
                (key, name) for name in names if wanted_values.get(name) != found_values.get(name)
            ]
        elif wanted != found:
            paths.append((key,))
    return paths


def difference(
    version: ContainerdVersion,
    intended_registry: Mapping[str, Any],
    actual_registry: Mapping[str, Any],
) -> str:
    """Return the names of a daemon's registry settings that are not as intended; empty if none.

    Only config_path is shown with its value, because other values may be credentials.
    """
    intended = effective(version, intended_registry)
    actual = less_defaults(version, effective(version, actual_registry), intended)
    paths = unequal(intended, actual)
    names = ", ".join(dotted(path) for path in paths[:_MOST])
    names += f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
    if ("config_path",) in paths:
        intended_path, actual_path = intended.get("config_path", ""), actual.get("config_path", "")
        names += f" (config_path is {actual_path!r} instead of {intended_path!r})"
    return names


def less_defaults(
    version: ContainerdVersion, actual: Mapping[str, Any], intended: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a daemon's settings without defaults that the intended settings do not mention."""
    result = dict(actual)
    mirrors = dict(actual.get("mirrors") or {})
    if supports(version, Feature.DOCKER_IO_PRESET) and "docker.io" not in (
        intended.get("mirrors") or {}
    ):
        if (mirrors.get("docker.io") or {}).get("endpoint") == _HUB:
            del mirrors["docker.io"]
            result = {**result, "mirrors": mirrors}
        if not mirrors:
            result.pop("mirrors", None)
    if supports(version, Feature.CONFIG_PATH_DEFAULT) and "config_path" not in intended:
        result.pop("config_path", None)
    return result
