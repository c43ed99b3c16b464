"""Fingerprints of the desired config with its secrets and certificates, and of nodes.

A resumed rollout must give the rest of its nodes the same config as the first ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from fleet.core.masking import Fingerprints
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Auth, Mirror, MirrorConfig, Registry
from fleet.core.model.node import Node

_CHECK = "fingerprint.key"


_SETTINGS = "the settings of "
"""Begins the name of a registry's part. The name of one setting goes on with ": NAME"."""


_OTHER_SETTINGS = {"origins", "kubernetes", "kubernetes_node"}
"""Settings that may differ when a rollout is resumed: they decide nothing on the node."""


_NODE_SETTINGS = tuple(field.name for field in fields(Node) if field.name not in _OTHER_SETTINGS)


def desired_fingerprints(config: MirrorConfig, mark: Fingerprints) -> dict[str, str]:
    """Return a fingerprint for each part of the desired config, under the part's name."""
    parts = dict(_parts(config))
    return {_CHECK: mark(_CHECK), **{name: mark(text) for name, text in parts.items()}}


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that differ; only the key if the key itself has changed.

    The settings of a registry are named one by one if both sides have recorded them so.
    """
    if before.get(_CHECK) != after[_CHECK]:
        return [_CHECK]
    names = dict.fromkeys((*before, *after))
    differ = [name for name in names if before.get(name) != after.get(name)]
    return [text for name in differ if (text := _changed_text(name, before, after))]


def _changed_text(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the words for a part that differs; empty if another part says it."""
    parent, colon, setting = name.partition(": ")
    if not parent.startswith(_SETTINGS):
        return name
    registry = parent.removeprefix(_SETTINGS)
    if parent not in before or parent not in after:
        return "" if colon else f"{registry} ({'added' if parent in after else 'removed'})"
    if colon:
        return f"{registry}: {setting}" if name in before and name in after else ""
    return "" if any(other.startswith(f"{parent}: ") for other in before) else parent


def node_fingerprints(inventory: Inventory, names: Iterable[str]) -> dict[str, str]:
    """Return a digest of the settings of each of these nodes, and of their groups' limits."""
    wanted = set(names)
    nodes = {node.name: _digest(_node_settings(node)) for node in inventory.nodes
             if node.name in wanted}  # fmt: skip
    limits = {
        f"group {name}": _digest([group.max_unavailable])
        for name, group in inventory.groups.items()
        if group.max_unavailable is not None and wanted.intersection(group.nodes)
    }
    return nodes | limits


def _node_settings(node: Node) -> list[object]:
    return [getattr(node, name) for name in _NODE_SETTINGS]


def _digest(settings: list[object]) -> str:
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:12]


def _parts(config: MirrorConfig) -> Iterator[tuple[str, str]]:
    for registry in config.registries:
        yield from _registry(registry, registry.name)
    for number, override in enumerate(config.overrides, 1):
        for name, registry in override.registries.items():
            yield from _registry(registry, f"{name} (override {number}, {override.match})")


def _registry(registry: Registry, name: str) -> Iterator[tuple[str, str]]:
    hosts = [_settings(mirror) for mirror in registry.hosts]
    about = [registry.server, registry.fallback, registry.verify, registry.rewrite, hosts]
    yield f"{_SETTINGS}{name}", json.dumps(about)
    for setting, value in _named_settings(registry).items():
        yield f"{_SETTINGS}{name}: {setting}", json.dumps(value)
    for mirror in registry.hosts:
        for what, content in _contents(mirror):
            yield f"the {what} of {mirror.url} for {name}", content


def _named_settings(registry: Registry) -> dict[str, object]:
    upstream = _settings(registry.upstream) if registry.upstream else None
    return {
        "server": [registry.server, upstream],
        "fallback": registry.fallback,
        "verify": registry.verify,
        "rewrite": registry.rewrite,
        "endpoints": [_settings(mirror) for mirror in registry.mirrors],
    }


def _settings(mirror: Mirror) -> list[object]:
    """Return the settings of a host that stand in mirrors.yaml itself."""
    flags = [mirror.url, mirror.capabilities, mirror.override_path, mirror.skip_verify]
    return [*flags, mirror.ca_paths, mirror.client_paths, mirror.dial_timeout]


def _contents(mirror: Mirror) -> Iterator[tuple[str, str]]:
    """Yield the name and content of values from variables, prompts and files."""
    if mirror.auth is not None:
        yield "login", json.dumps(_login(mirror.auth))
    for name, values in mirror.header:
        yield f"header {name}", json.dumps(list(values))
    if mirror.ca:
        yield "ca", json.dumps([content.hex() for content in mirror.ca])
    if mirror.client:
        pairs = [[pair.certificate.hex(), (pair.key or b"").hex()] for pair in mirror.client]
        yield "client certificate", json.dumps(pairs)


def _login(auth: Auth) -> list[str | None]:
    return [auth.username, auth.password, auth.identity_token]
