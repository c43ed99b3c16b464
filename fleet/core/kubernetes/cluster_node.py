"""The Node objects of a cluster, parsed from what its API returns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from fleet.core.text.documents import table, table_list, word

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
"""A DNS subdomain: the API accepts no other name, so it is safe as a part of a path."""

_HOSTNAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint: pods that do not tolerate it stay away from the node."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a node; `status` is True, False or Unknown."""

    kind: str
    status: str
    reason: str = ""
    message: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNode:
    """A Node object; its texts come from the cluster, and may hold any characters."""

    name: str
    internal_ips: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    hostname: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    container_runtime_version: str = ""
    operating_system: str = "linux"
    uid: str = ""
    resource_version: str = ""

    @property
    def ready(self) -> str:
        """Return the status of the condition Ready: True, False or Unknown."""
        condition = self.conditions.get("Ready")
        return condition.status if condition is not None else "Unknown"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return all IP addresses of the node."""
        return (*self.internal_ips, *self.external_ips)


def cluster_node(raw: Any) -> ClusterNode | None:
    """Parse a Node object; return None for a value without a valid name."""
    metadata, spec, status = table(raw, "metadata"), table(raw, "spec"), table(raw, "status")
    name = word(metadata, "name")
    if not _NAME.fullmatch(name):
        return None
    return ClusterNode(
        name=name,
        internal_ips=_ips(status, "InternalIP"),
        external_ips=_ips(status, "ExternalIP"),
        hostname=next(filter(_HOSTNAME.fullmatch, _addresses(status, "Hostname")), ""),
        labels=_texts(metadata, "labels"),
        annotations=_texts(metadata, "annotations"),
        unschedulable=spec.get("unschedulable") is True,
        taints=tuple(
            Taint(word(item, "key"), word(item, "effect"), word(item, "value"))
            for item in table_list(spec, "taints")
        ),
        conditions={
            word(item, "type"): _condition(item) for item in table_list(status, "conditions")
        },
        container_runtime_version=word(table(status, "nodeInfo"), "containerRuntimeVersion"),
        operating_system=word(table(status, "nodeInfo"), "operatingSystem") or "linux",
        uid=word(metadata, "uid"),
        resource_version=word(metadata, "resourceVersion"),
    )


def _condition(item: Mapping[str, Any]) -> Condition:
    status = word(item, "status")
    return Condition(
        kind=word(item, "type"),
        status=status if status in {"True", "False"} else "Unknown",
        reason=word(item, "reason"),
        message=word(item, "message"),
        since=word(item, "lastTransitionTime"),
    )


def canonical_ip(text: str) -> str:
    """Return an IP address in its shortest form; an empty text if it is not one."""
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        return ""


def _ips(status: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    return tuple(filter(None, map(canonical_ip, _addresses(status, kind))))


def _addresses(status: Mapping[str, Any], kind: str) -> list[str]:
    entries = table_list(status, "addresses")
    return [
        text
        for entry in entries
        if word(entry, "type") == kind and (text := word(entry, "address"))
    ]


def _texts(data: Mapping[str, Any], key: str) -> dict[str, str]:
    return {name: text for name, text in table(data, key).items() if isinstance(text, str)}
