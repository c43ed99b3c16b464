"""The settings that registries.yaml of k3s and RKE2 cannot express."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from fleet.core.containerd.registry_url import folder_name
from fleet.core.failure import OVERRIDE_REMEDY, FailureKind, NodeError, Step
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.text.documents import table, tables

_PULLS = {"pull", "resolve"}


_NOT_ESCAPED = re.compile(r'[\\"\x00-\x1f\x7f]')
"""Characters that end or change a TOML string; k3s writes rewrites between quotes as they are."""


def refuse_unwritable(registries: Iterable[Registry], facts: NodeFacts) -> None:
    """Raise a NodeError for a setting that registries.yaml cannot express."""
    items = tuple(registries)
    for registry in items:
        _refuse_registry(registry, facts)
    _refuse_two_settings([host for registry in items for host in registry.hosts], facts)


def _refuse_registry(registry: Registry, facts: NodeFacts) -> None:
    name, owner = registry.name, facts.daemon.owner
    if not registry.fallback and not facts.daemon.rancher.no_upstream:
        raise _refused(
            facts,
            f"fallback: never for {name}",
            f"run {owner} with --disable-default-registry-endpoint, for all registries",
        )
    for mirror in registry.mirrors:
        if mirror.header:
            raise _refused(facts, f"{mirror.url} has a header", OVERRIDE_REMEDY)
        if set(mirror.capabilities) != _PULLS:
            what = f"{mirror.url} has capabilities other than pull and resolve"
            raise _refused(facts, what, OVERRIDE_REMEDY)
        if mirror.override_path and not mirror.path:
            what = f"{mirror.url} has override_path but no path"
            raise _refused(facts, what, OVERRIDE_REMEDY)
    if any(_is_broken(pair) for pair in registry.rewrite):
        what = f"a rewrite of {name} has a backslash or a quote, which {owner} does not escape"
        raise _refused(facts, what, "write it without them, such as [.] for a literal dot")


def _refuse_two_settings(hosts: Iterable[Mirror], facts: NodeFacts) -> None:
    """Raise a NodeError if a host has two values of a setting: it has one for all registries."""
    values: dict[tuple[str, str], Hashable] = {}
    for host in hosts:
        for setting, value in _host_settings(host):
            name = folder_name(host.authority)
            if values.setdefault((name, setting), value) != value:
                what = f"{name} has two different values of {setting}"
                raise _refused(facts, what, "give it the same value in all places of mirrors.yaml")


def _host_settings(host: Mirror) -> Iterator[tuple[str, Hashable]]:
    if host.ca or host.ca_paths:
        yield "ca", (host.ca, host.ca_paths)
    if host.client or host.client_paths:
        yield "client", (host.client, host.client_paths)
    if host.auth is not None:
        yield "its login", host.auth
    if host.scheme == "https":
        yield "skip_verify", host.skip_verify


def refuse_fallback(
    registries: Iterable[Registry], data: Mapping[str, Any], facts: NodeFacts
) -> None:
    """Raise a NodeError if a registry that must not be asked is in `configs`: k3s then asks it."""
    for registry in registries:
        if not registry.fallback and registry.name in table(data, "configs"):
            what = f"fallback: never for {registry.name}, which is in configs as well"
            raise _refused(facts, what, f"remove {registry.name} from configs")


def broken_rewrites(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the registries of a registries.yaml with a rewrite that k3s writes as broken TOML."""
    for name, entry in tables(data, "mirrors").items():
        if any(_is_broken((key, str(value))) for key, value in table(entry, "rewrite").items()):
            yield name


def _is_broken(rewrite: tuple[str, str]) -> bool:
    return any(_NOT_ESCAPED.search(part) for part in rewrite)


def _refused(facts: NodeFacts, reason: str, remedy: str) -> NodeError:
    message = f"registries.yaml of {facts.daemon.owner} cannot express this: {reason}"
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
