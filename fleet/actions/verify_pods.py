"""Verification by kubelet: the pods of a fleet's clusters, and the kubelet of each node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.actions.clusters import connect_clusters
from fleet.core.failure import Failure
from fleet.core.model.node import Node
from fleet.core.text.counts import counted
from fleet.errors import FleetError
from fleet.kubernetes.errors import ClusterError, cluster_failure
from fleet.kubernetes.pull_pods import Kubelet, PodOptions, PullPods


@dataclass(frozen=True, slots=True)
class Kubelets:
    """The kubelets of nodes by the nodes' names, and why other nodes have none."""

    nodes: Mapping[str, Kubelet]
    failures: Mapping[str, Failure]


@contextmanager
def open_kubelets(
    nodes: Sequence[Node],
    options: PodOptions,
    kube_context: str | None,
    message: Callable[[str], None],
) -> Iterator[Kubelets]:
    """Connect to the nodes' clusters, and delete the pods that killed runs have left there.

    At the end of the block the pods of this run are deleted, also after an interrupt.
    """
    clusters = connect_clusters(nodes, kube_context)
    if clusters is None:
        raise FleetError(
            "--pod needs the nodes' cluster: set `kubernetes` in the inventory, or give"
            " --kube-context"
        )
    kubelets: dict[str, Kubelet] = {}
    named = {name for own in clusters for name in own.names}
    failures = {node.name: _no_cluster() for node in nodes if node.name not in named}
    opened: list[PullPods] = []
    try:
        for own in clusters:
            failures |= own.failures
            if own.cluster is None:
                continue
            pods = PullPods(own.cluster, options)
            opened.append(pods)
            if refusal := _delete_left(pods, message):
                failures |= dict.fromkeys(own.names, refusal)
            else:
                kubelets |= {name: Kubelet(pods, item.name) for name, item in own.nodes.items()}
        yield Kubelets(kubelets, failures)
    finally:
        for pods in opened:
            pods.close()


def _no_cluster() -> Failure:
    message = "the inventory names no cluster for this node"
    return cluster_failure(message, "set `kubernetes` for this node, or give --kube-context")


def _delete_left(pods: PullPods, message: Callable[[str], None]) -> Failure | None:
    """Delete left pods; return the failure if the API refuses."""
    try:
        count = pods.delete_left()
    except ClusterError as error:
        return error.failure
    if count:
        message(f"deleted {counted(count, 'verification pod')} that a killed run had left")
    return None
