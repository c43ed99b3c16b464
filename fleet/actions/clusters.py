"""The clusters of a fleet: which one each node belongs to, and its Node object there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleet.core.failure import Failure
from fleet.core.kubernetes.cluster_node import ClusterNode
from fleet.core.kubernetes.match import match_nodes
from fleet.core.model.node import ClusterSettings, Node
from fleet.kubernetes.client import Cluster, ClusterError
from fleet.kubernetes.nodes import read_nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCluster:
    """One cluster, and the nodes of the inventory that belong to it.

    Without a connection, or without a Node object for a node, the failure says why.
    """

    settings: ClusterSettings
    names: tuple[str, ...]
    cluster: Cluster | None = None
    nodes: Mapping[str, ClusterNode] = field(default_factory=dict)
    """The Node objects by the names of the inventory's nodes."""
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """The failures of nodes without a Node object, by name; all nodes if the cluster failed."""
    failure: Failure | None = None
    """The reason why the cluster cannot be used."""


def connect_clusters(
    nodes: Sequence[Node], kube_context: str | None = None
) -> tuple[NodeCluster, ...] | None:
    """Return the clusters of nodes with their Node objects; None if no node has a cluster.

    `kube_context` is the cluster of all nodes instead of what the inventory says.
    """
    members: dict[ClusterSettings, list[Node]] = {}
    for node in nodes:
        settings = settings_of(node, kube_context)
        if settings is not None:
            members.setdefault(settings, []).append(node)
    if not members:
        return None
    return tuple(_connect(settings, own) for settings, own in members.items())


def settings_of(node: Node, kube_context: str | None) -> ClusterSettings | None:
    """Return the access to a node's cluster; a context on the command line wins."""
    if kube_context is None:
        return node.kubernetes
    return replace(node.kubernetes or ClusterSettings(), context=kube_context or None)


def _connect(settings: ClusterSettings, nodes: Sequence[Node]) -> NodeCluster:
    names = tuple(node.name for node in nodes)
    try:
        cluster = Cluster.connect(settings.kubeconfig, settings.context)
        match = match_nodes(nodes, read_nodes(cluster))
    except ClusterError as error:
        failures = dict.fromkeys(names, error.failure)
        return NodeCluster(settings=settings, names=names, failures=failures, failure=error.failure)
    return NodeCluster(
        settings=settings, names=names, cluster=cluster, nodes=match.nodes, failures=match.failures
    )
