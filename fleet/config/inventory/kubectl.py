"""Conversion of `kubectl get nodes -o json` into the tree that a YAML inventory gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.text.documents import table, word
from fleet.core.text.yaml import MappingEntry, Value

_ROLE = "node-role.kubernetes.io/"


_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


_NAMES = {"master": "control_plane", "worker": "workers", "": "workers"}


def is_node_list(data: object) -> bool:
    """Return whether a JSON document is a list of Kubernetes nodes."""
    return (
        isinstance(data, Mapping)
        and data.get("kind") in {"List", "NodeList"}
        and isinstance(data.get("items"), list)
    )


def as_inventory(data: Mapping[str, Any]) -> Value:
    """Return the tree of an inventory; skip items that are not Linux nodes."""
    groups: dict[str, dict[str, Any]] = {}
    for item in data["items"]:
        if not isinstance(item, Mapping) or item.get("kind", "Node") != "Node":
            continue
        name, labels = word(item.get("metadata"), "name"), table(item, "metadata", "labels")
        status = table(item, "status")
        system = word(table(status, "nodeInfo"), "operatingSystem") or "linux"
        if system != "linux" or not name:
            continue
        given = {"host": _address(status) or name}
        zone = next(filter(None, (word(labels, key) for key in _ZONES)), None)
        if zone:
            given["site"] = zone
        for group in dict.fromkeys(_roles(labels)):
            groups.setdefault(group, {"hosts": {}})["hosts"][name] = given
    return as_value({"all": {"children": groups}})


def _roles(labels: Mapping[str, Any]) -> Iterator[str]:
    roles = [key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)]
    for role in roles or [""]:
        yield _NAMES.get(role, role.replace("-", "_"))


def _address(status: Mapping[str, Any]) -> str | None:
    addresses = status.get("addresses")
    entries = addresses if isinstance(addresses, list) else ()
    for kind in ("InternalIP", "ExternalIP", "Hostname"):
        for entry in entries:
            if word(entry, "type") == kind and word(entry, "address"):
                return word(entry, "address")
    return None


def as_value(data: Any, line: int = 1) -> Value:
    """Return plain data as parsed Values, all at one line, as the user wrote no file."""
    if isinstance(data, Mapping):
        entries = {
            key: MappingEntry(Value(key, key, line, line), as_value(value, line))
            for key, value in data.items()
        }
        return Value(entries, "", line, line)
    return Value(data, str(data), line, line)
