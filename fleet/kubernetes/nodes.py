"""The Node objects of a cluster."""

from __future__ import annotations

from fleet.core.kubernetes.cluster_node import ClusterNode, cluster_node
from fleet.kubernetes.client import Cluster

NODES = "/api/v1/nodes"


def read_nodes(cluster: Cluster) -> list[ClusterNode]:
    """Return all Node objects of a cluster; raise a ClusterError."""
    parsed = map(cluster_node, cluster.items(NODES))
    return [node for node in parsed if node is not None]
