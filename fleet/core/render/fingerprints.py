"""Fingerprints of the desired config, including the secrets and certificates it refers to.

A resumed rollout must give the rest of its nodes the same config as the first ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from fleet.core.masking import Fingerprints
from fleet.core.model.mirror import Auth, Mirror, MirrorConfig, Registry

_CHECK = "fingerprint.key"


def desired_fingerprints(config: MirrorConfig, mark: Fingerprints) -> dict[str, str]:
    """Return a fingerprint for each part of the desired config, under the part's name."""
    parts = dict(_parts(config))
    return {_CHECK: mark(_CHECK), **{name: mark(text) for name, text in parts.items()}}


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that differ; only the key if the key itself has changed."""
    if before.get(_CHECK) != after[_CHECK]:
        return [_CHECK]
    names = dict.fromkeys((*before, *after))
    return [name for name in names if before.get(name) != after.get(name)]


def _parts(config: MirrorConfig) -> Iterator[tuple[str, str]]:
    for registry in config.registries:
        yield from _registry(registry, registry.name)
    for number, override in enumerate(config.overrides, 1):
        for name, registry in override.registries.items():
            yield from _registry(registry, f"{name} (override {number}, {override.match})")


def _registry(registry: Registry, name: str) -> Iterator[tuple[str, str]]:
    hosts = [_settings(mirror) for mirror in registry.hosts]
    about = [registry.server, registry.fallback, registry.verify, registry.rewrite, hosts]
    yield f"the settings of {name}", json.dumps(about)
    for mirror in registry.hosts:
        for what, content in _contents(mirror):
            yield f"the {what} of {mirror.url} for {name}", content


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
