"""The inventory of a cluster itself: `kube:CONTEXT`, read live from its API.

The nodes come from the cluster. The settings that a cluster does not know (logins, jump hosts,
limits) come from an inventory file, for the nodes and groups of the same names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.config.inventory.kubectl import as_value
from fleet.config.inventory.yaml import InventoryReader
from fleet.core.failure import Failure
from fleet.core.kubernetes.cluster_node import ClusterNode
from fleet.core.kubernetes.membership import (
    label_groups,
    natural_order,
    role_groups,
    unusable,
    zone,
)
from fleet.core.model.inventory import CLUSTER_SCHEME as SCHEME
from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.node import ClusterSettings
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.core.text.yaml import Value
from fleet.errors import ConfigErrors, Problem
from fleet.home import expanded

SETTINGS = Path("inventory.yaml")
"""The file that gives the nodes of a cluster their settings."""


def is_cluster(path: Path) -> bool:
    """Return whether an inventory is that of a cluster, and not a file."""
    return str(path).startswith(SCHEME)


def file_of(path: Path) -> Path:
    """Return the file of an inventory, beside which the journal lies."""
    return SETTINGS if is_cluster(path) else path


def cluster_nodes(
    source: Path, settings: ClusterSettings, seconds: float | None
) -> tuple[ClusterSettings, list[ClusterNode]]:
    """Return the cluster that `kube:CONTEXT` names, and its nodes; raise ConfigErrors.

    `settings` has the kubeconfig, and the context if none is named. `seconds` is the deadline of
    each call; None is the usual one.
    """
    from fleet.kubernetes.client import SECONDS, Cluster, ClusterError  # noqa: PLC0415 - an extra
    from fleet.kubernetes.kubeconfig import context_names  # noqa: PLC0415
    from fleet.kubernetes.nodes import read_nodes  # noqa: PLC0415

    try:
        names = context_names(settings.kubeconfig)
        context = _context(source, names) or settings.context
        cluster = Cluster.connect(settings.kubeconfig, context, seconds or SECONDS)
        nodes = sorted(read_nodes(cluster), key=natural_order)
    except ClusterError as error:
        raise ConfigErrors([_problem(source, error.failure)]) from error
    return ClusterSettings(settings.kubeconfig, cluster.name), nodes


def _problem(source: Path, failure: Failure) -> Problem:
    """Return a cluster's failure as one line, with the last line of its evidence."""
    name = str(source) if str(source) != SCHEME else SCHEME.rstrip(":")
    evidence = failure.evidence.splitlines()[-1:]
    message = ": ".join((failure.message, *evidence))
    return Problem(name, 0, 0, f"{message}; {failure.remedy}")


def _context(source: Path, names: Iterable[str]) -> str:
    """Return the context that an option names; a path has lost repeated slashes of the name."""
    text = str(source).removeprefix(SCHEME)
    return next((name for name in names if str(Path(SCHEME + name)) == str(source)), text)


def read_cluster_inventory(
    source: Path, file: tuple[Path, Value] | None, seconds: float | None = None
) -> tuple[Inventory, list[Problem]]:
    """Return a cluster's nodes with the settings of a file, and what to tell about them.

    Raise ConfigErrors for the mistakes of the file, and if the cluster cannot be read.
    """
    given = _settings_of(file)
    cluster, objects = cluster_nodes(source, _kubernetes(given), seconds)
    name = f"{SCHEME}{cluster.context}"
    usable = [node for node in objects if not unusable(node)]
    if not usable:
        message = "the cluster has no node that runs containerd on Linux"
        raise ConfigErrors([Problem(name, 0, 0, message)])
    reader = InventoryReader(name)
    roots = [(name, _tree(usable, cluster, given))]
    if file is not None:
        roots.insert(0, (str(file[0]), file[1]))
    inventory = _only(reader.read_all(roots), [node.name for node in usable])
    if reader.reader.problems:
        raise ConfigErrors(reader.reader.problems, reader.reader.warnings)
    groups = {**inventory.groups, **_label_groups(usable, inventory)}
    left_out = {node.name: reason for node in objects if (reason := unusable(node))}
    notes = [*_left_out(name, left_out), *reader.reader.warnings]
    return replace(inventory, groups=groups, left_out=left_out), notes


def _settings_of(file: tuple[Path, Value] | None) -> Inventory:
    """Return the file as an inventory of its own, which may have no nodes; raise ConfigErrors."""
    if file is None:
        return Inventory((), {})
    reader = InventoryReader(str(file[0]))
    inventory = reader.read_all([(str(file[0]), file[1])], empty=True)
    if reader.reader.problems:
        raise ConfigErrors(reader.reader.problems, reader.reader.warnings)
    return inventory


def _kubernetes(given: Inventory) -> ClusterSettings:
    """Return the cluster that the file gives all nodes."""
    whole = given.groups.get("all")
    value = whole.values["kubernetes"].value if whole and "kubernetes" in whole.values else None
    return value if isinstance(value, ClusterSettings) else ClusterSettings()


def _tree(nodes: Sequence[ClusterNode], cluster: ClusterSettings, given: Inventory) -> Value:
    """Return the nodes as the tree of an inventory, without values that the file has as well."""
    own = {node.name: node.origins for node in given.nodes}
    names = {node.name for node in nodes}
    file = cluster.kubeconfig and str(expanded(cluster.kubeconfig).absolute())
    values = {"kubernetes": {"kubeconfig": file, "context": cluster.context}}
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for node in nodes:
        found = {"host": _host(node), "site": zone(node), "kubernetes_node": node.name, **values}
        kept = {
            key: value
            for key, value in found.items()
            if value and (key == "kubernetes" or key not in own.get(node.name, {}))
        }
        for group in role_groups(node):
            groups["workers" if group in names else group][node.name] = kept
        for group in label_groups([node]):
            if group in given.groups:
                groups[group][node.name] = kept
    return as_value({name: {"hosts": hosts} for name, hosts in groups.items()}, 0)


def _host(node: ClusterNode) -> str:
    return next(iter((*node.addresses, node.hostname)), "") or node.name


def _only(inventory: Inventory, names: Sequence[str]) -> Inventory:
    """Return an inventory with these nodes alone, in its own order."""
    kept = set(names)
    groups = {
        name: replace(group, nodes=tuple(node for node in group.nodes if node in kept))
        for name, group in inventory.groups.items()
    }
    nodes = tuple(node for node in inventory.nodes if node.name in kept)
    return Inventory(nodes, groups)


def _label_groups(nodes: Sequence[ClusterNode], inventory: Inventory) -> dict[str, Group]:
    """Return the groups of labels that the file does not mention."""
    return {
        name: Group(name, tuple(members))
        for name, members in label_groups(nodes).items()
        if name not in inventory.groups
    }


def _left_out(name: str, left_out: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a note for each reason why nodes are left out."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for node, reason in left_out.items():
        reasons[reason].append(node)
    for reason, names in reasons.items():
        text = f"left out {counted(len(names), 'node')} ({reason}): {compress(names)}"
        yield Problem(name, 0, 0, text, "warning")
