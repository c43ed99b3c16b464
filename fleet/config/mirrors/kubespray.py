"""Conversion of kubespray's variables for mirrors into the tree of mirrors.yaml.

The names are those of kubespray's roles/container-engine/containerd: a list of prefixes with their
mirrors, and a list of credentials. All other variables of such a file are kubespray's, and are
ignored.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import HUB
from fleet.core.text.yaml import MappingEntry, Value

MIRRORS = "containerd_registries_mirrors"


_AUTH = "containerd_registry_auth"


_MIRROR_KEYS = (
    "host",
    "capabilities",
    "skip_verify",
    "override_path",
    "ca",
    "client",
    "header",
    "dial_timeout",
    "auth",
)


def is_kubespray(root: Value) -> bool:
    """Return whether a file has kubespray's variables and is not a mirrors.yaml."""
    return isinstance(root.data, dict) and MIRRORS in root.data and "mirrors" not in root.data


def as_mirrors(root: Value, reader: Reader) -> Value:
    """Return the document as a mirrors.yaml; every value keeps its line and column."""
    mirrors: dict[str, MappingEntry] = {}
    configs: dict[str, MappingEntry] = {}
    for number, item in enumerate(reader.items(root.data[MIRRORS].value, MIRRORS)):
        place = f"{MIRRORS}[{number}]"
        body = reader.mapping(item, place)
        reader.known_keys(body, place, ("prefix", "mirrors", "server", "header"))
        if "prefix" not in body or "mirrors" not in body:
            reader.error(item, place, "needs prefix and mirrors")
            continue
        prefix = body["prefix"].value
        name = reader.string(prefix, f"{place}.prefix")
        if name is None:
            continue
        if name in mirrors:
            reader.error(prefix, place, f"{name} is listed twice")
        entries = {
            "endpoint": MappingEntry(prefix, _endpoints(body["mirrors"].value, place, reader))
        }
        if "server" in body:
            entries["server"] = _server(body["server"], name)
        mirrors[name] = MappingEntry(prefix, Value(entries, "", item.line, item.column))
        _mirror_auth(body["mirrors"].value, configs, reader, place)
    _registry_auth(root, configs, reader)
    parts = {"mirrors": _mapping(root, mirrors), "configs": _mapping(root, configs)}
    return Value({key: value for key, value in parts.items() if value.value.data}, "", 1, 1)


def _mapping(root: Value, entries: Mapping[str, MappingEntry]) -> MappingEntry:
    return MappingEntry(root.data[MIRRORS].key, Value(dict(entries), "", root.line, root.column))


def _server(entry: MappingEntry, name: str) -> MappingEntry:
    """Return the server; replace docker.io, kubespray's default, by Docker Hub's real server.

    kubespray's samples show this default.
    """
    text = entry.value.text.rstrip("/")
    if name == "docker.io" and text in {"https://docker.io", "docker.io"}:
        at = entry.value
        return MappingEntry(entry.key, Value(HUB, HUB, at.line, at.column))
    return entry


def _endpoints(value: Value, place: str, reader: Reader) -> Value:
    items = []
    for number, item in enumerate(reader.items(value, f"{place}.mirrors")):
        body = reader.mapping(item, f"{place}.mirrors[{number}]")
        reader.known_keys(body, f"{place}.mirrors[{number}]", _MIRROR_KEYS)
        entries = {key: entry for key, entry in body.items() if key not in {"host", "auth"}}
        if "host" in body:
            entries["url"] = body["host"]
        if "capabilities" in entries:
            entries["capabilities"] = _as_list(entries["capabilities"])
        items.append(Value(entries, "", item.line, item.column))
    return Value(tuple(items), "", value.line, value.column)


def _as_list(entry: MappingEntry) -> MappingEntry:
    """Return a single word as a list of one, as kubespray's template does."""
    at = entry.value
    if isinstance(at.data, tuple):
        return entry
    return MappingEntry(entry.key, Value((at,), "", at.line, at.column))


def _mirror_auth(
    value: Value, configs: dict[str, MappingEntry], reader: Reader, place: str
) -> None:
    for item in value.data if isinstance(value.data, tuple) else ():
        body = item.data if isinstance(item.data, dict) else {}
        if "auth" in body and "host" in body:
            host = body["host"].value.text.partition("://")[2].partition("/")[0]
            auth = reader.mapping(body["auth"].value, f"{place}.auth")
            _add_config(configs, host, body["auth"], auth)


def _registry_auth(root: Value, configs: dict[str, MappingEntry], reader: Reader) -> None:
    if _AUTH not in root.data:
        return
    for number, item in enumerate(reader.items(root.data[_AUTH].value, _AUTH)):
        body = reader.mapping(item, f"{_AUTH}[{number}]")
        if "registry" not in body:
            reader.error(item, f"{_AUTH}[{number}]", "needs a registry")
            continue
        auth = {key: entry for key, entry in body.items() if key in {"username", "password"}}
        _add_config(configs, body["registry"].value.text, body["registry"], auth)


def _add_config(
    configs: dict[str, MappingEntry], host: str, at: MappingEntry, auth: Mapping[str, MappingEntry]
) -> None:
    where = at.key
    inner = Value(dict(auth), "", where.line, where.column)
    entry = Value({"auth": MappingEntry(where, inner)}, "", where.line, where.column)
    configs[host] = MappingEntry(Value(host, host, where.line, where.column), entry)
