"""The nodes of a cluster that fleet can work on, and the groups that their labels make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from fleet.core.kubernetes.cluster_node import ClusterNode
from fleet.core.selection.labels import LABEL, LABEL_GROUP, WORD

_ROLE = "node-role.kubernetes.io/"
_ROLES = {"master": "control_plane", "worker": "workers", "": "workers"}
_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_OF_ONE_NODE = {"kubernetes.io/hostname"}
"""Labels whose values differ from node to node: a group of each would be a second name."""
_WITHOUT_SSH = {
    ("type", "virtual-kubelet"): "a virtual kubelet",
    ("eks.amazonaws.com/compute-type", "fargate"): "Fargate",
}
_RUNTIMES = {"cri-o": "CRI-O", "docker": "Docker"}


def unusable(node: ClusterNode) -> str:
    """Return why fleet cannot work on a node: its runtime or its system; empty if it can."""
    for (key, value), what in _WITHOUT_SSH.items():
        if node.labels.get(key) == value:
            return what
    if node.operating_system != "linux":
        return "Windows" if node.operating_system == "windows" else "not Linux"
    runtime = node.container_runtime_version.partition("://")[0]
    if runtime in {"", "containerd"}:
        return ""
    return _RUNTIMES.get(runtime, "another container runtime")


def role_groups(node: ClusterNode) -> tuple[str, ...]:
    """Return the groups of a node's roles; a node without a role is a worker."""
    roles = [key.removeprefix(_ROLE) for key in node.labels if key.startswith(_ROLE)]
    names = (_ROLES.get(role, role.replace("-", "_")) for role in roles or [""])
    return tuple(dict.fromkeys(names))


def zone(node: ClusterNode) -> str:
    """Return the node's zone; empty if it has none."""
    texts = (node.labels.get(key, "") for key in _ZONES)
    return next((text for text in texts if re.fullmatch(WORD, text)), "")


def label_groups(nodes: Iterable[ClusterNode]) -> dict[str, list[str]]:
    """Return the nodes of each group that a label makes, by the group's name."""
    groups: dict[str, list[str]] = {}
    for node in nodes:
        for group in _groups_of(node.labels):
            groups.setdefault(group, []).append(node.name)
    return dict(sorted(groups.items()))


def _groups_of(labels: Mapping[str, str]) -> Iterator[str]:
    for key, value in labels.items():
        group = f"{LABEL}{key}={value}"
        if key not in _OF_ONE_NODE and LABEL_GROUP.fullmatch(group):
            yield group
            yield f"{LABEL}{key}"


def natural_order(node: ClusterNode) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts w2 before w10."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", node.name)
    return tuple((text, int(number or -1)) for text, number in parts)
