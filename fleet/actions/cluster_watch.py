"""The clusters of a rollout: their Node objects and pods, asked with patience."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from fleet.actions.clusters import settings_of
from fleet.core.failure import Failure
from fleet.core.kubernetes.cluster_node import ClusterNode, cluster_node
from fleet.core.kubernetes.match import match_nodes
from fleet.core.kubernetes.pod_health import PodHealth, pod_health
from fleet.core.model.node import ClusterSettings, Node
from fleet.kubernetes.client import Cluster, ClusterError, api_path
from fleet.kubernetes.nodes import read_nodes

_Answer = TypeVar("_Answer")

RETRY = 3.0
"""Seconds between two tries."""


_FINAL = {400, 401, 403, 404, 405}
"""Answers that another try does not change."""


FEW = 20
"""The number of nodes up to which each is asked about alone."""


class StoppedError(Exception):
    """The user asked to stop while the cluster was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Patience with an API that is away; `say` shows progress, `stopping` ends every wait."""

    say: Callable[[str], None] = lambda _: None
    stopping: Callable[[], bool] = lambda: False
    seconds: float = 30.0

    def sleep(self, seconds: float) -> None:
        """Sleep; raise a StoppedError as soon as the user asks to stop."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.stopping():
                raise StoppedError
            time.sleep(min(0.2, left))

    def ask(self, ask: Callable[[], _Answer]) -> _Answer:
        """Return an API's answer; try again for a while if it is away."""
        until = time.monotonic() + self.seconds
        told = False
        while True:
            try:
                return ask()
            except ClusterError as error:
                if error.status in _FINAL or time.monotonic() > until:
                    raise
                if not told:
                    self.say(
                        f"{error.failure.message}; trying again for up to {self.seconds:.0f} s"
                    )
                told = True
                self.sleep(RETRY)


@dataclass(slots=True)
class _Member:
    """One cluster, the nodes of the inventory in it, and their Node objects' names."""

    settings: ClusterSettings
    nodes: list[Node]
    cluster: Cluster | None = None
    objects: dict[str, str] = field(default_factory=dict)

    def connected(self) -> Cluster:
        if self.cluster is None:
            self.cluster = Cluster.connect(self.settings.kubeconfig, self.settings.context)
        return self.cluster


class ClusterWatch:
    """The clusters of a fleet. Every method may raise a ClusterError or a StoppedError."""

    def __init__(self, nodes: Sequence[Node], kube_context: str | None) -> None:
        members: dict[ClusterSettings, _Member] = {}
        for node in nodes:
            if (settings := settings_of(node, kube_context)) is not None:
                members.setdefault(settings, _Member(settings, [])).nodes.append(node)
        self._members = tuple(members.values())

    def __bool__(self) -> bool:
        """Return whether a node belongs to a cluster."""
        return bool(self._members)

    @property
    def names(self) -> frozenset[str]:
        """Return the nodes that belong to a cluster."""
        return frozenset(node.name for member in self._members for node in member.nodes)

    def cluster_of(self, name: str) -> tuple[Cluster, str] | None:
        """Return a node's cluster and the name of its Node object, as the last look found it."""
        for member in self._members:
            if name in member.objects:
                return member.connected(), member.objects[name]
        return None

    def nodes(self, patience: Patience) -> tuple[dict[str, ClusterNode], dict[str, Failure]]:
        """Return all Node objects by the nodes' names, and why other nodes have none."""
        found: dict[str, ClusterNode] = {}
        failures: dict[str, Failure] = {}
        for member in self._members:
            objects = patience.ask(lambda: read_nodes(member.connected()))  # noqa: B023
            match = match_nodes(member.nodes, objects)
            member.objects = {name: node.name for name, node in match.nodes.items()}
            found.update(match.nodes)
            failures.update(match.failures)
        return found, failures

    def some_nodes(self, names: Collection[str], patience: Patience) -> dict[str, ClusterNode]:
        """Return the Node objects of a few nodes; one that is gone is left out.

        All are listed if there are many, or if they were never listed before.
        """
        if len(names) > FEW or any(self.cluster_of(name) is None for name in names):
            return {name: node for name, node in self.nodes(patience)[0].items() if name in names}
        found = {}
        for name in names:
            node = patience.ask(lambda: self._node(name))  # noqa: B023 - it is called at once
            if node is not None:
                found[name] = node
        return found

    def _node(self, name: str) -> ClusterNode | None:
        if (place := self.cluster_of(name)) is None:
            return None
        cluster, node = place
        try:
            return cluster_node(cluster.get(api_path("api", "v1", "nodes", node)))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def pods(
        self, names: Collection[str], patience: Patience
    ) -> Mapping[str, tuple[PodHealth, ...]]:
        """Return the pods on nodes, by the nodes' names.

        The API finds the pods of one node by an index, so most batches are asked node by node. A
        batch of most of the cluster costs less as a list of all pods.
        """
        found: dict[str, tuple[PodHealth, ...]] = {}
        for member in self._members:
            own = {name: member.objects[name] for name in names if name in member.objects}
            if len(own) > FEW:
                patience.say(f"reading the pods of {len(own)} nodes")
            if len(own) <= max(FEW, len(member.objects) // 4):
                for name, node in own.items():
                    found[name] = patience.ask(
                        lambda: tuple(_pods(member.connected(), node))  # noqa: B023
                    )
                continue
            nodes = frozenset(own.values())
            everything = patience.ask(
                lambda: [pod for pod in _pods(member.connected()) if pod.node in nodes]  # noqa: B023
            )
            by_node: dict[str, list[PodHealth]] = {}
            for pod in everything:
                by_node.setdefault(pod.node, []).append(pod)
            found |= {name: tuple(by_node.get(node, ())) for name, node in own.items()}
        return found


def _pods(cluster: Cluster, node: str = "") -> Iterator[PodHealth]:
    """Yield the pods of a node, or of all nodes, page by page."""
    query = {"fieldSelector": f"spec.nodeName={node}"} if node else {}
    seen: set[str] = set()
    for page in cluster.pages(api_path("api", "v1", "pods"), **query):
        items = page.get("items")
        for item in items if isinstance(items, list) else ():
            pod = pod_health(item)
            if pod is not None and pod.uid not in seen:
                seen.add(pod.uid)
                yield pod
