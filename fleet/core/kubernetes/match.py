"""The match of the inventory's nodes with the Node objects of a cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.kubernetes.cluster_node import ClusterNode, canonical_ip
from fleet.core.model.node import Node

_SET_KEY = "set `kubernetes_node` for this node in the inventory"


@dataclass(frozen=True, slots=True)
class Match:
    """The Node object of each node, by the node's name, and why other nodes have none."""

    nodes: Mapping[str, ClusterNode]
    failures: Mapping[str, Failure]


def match_nodes(nodes: Iterable[Node], objects: Iterable[ClusterNode]) -> Match:
    """Match each node by its key `kubernetes_node`, else by InternalIP, else by hostname."""
    index = _Index(objects)
    found: dict[str, ClusterNode] = {}
    failures: dict[str, Failure] = {}
    for node in nodes:
        result = index.find(node)
        if isinstance(result, Failure):
            failures[node.name] = result
        else:
            found[node.name] = result
    _refuse_shared(found, failures)
    return Match(found, failures)


class _Index:
    """The Node objects by each of what a node is matched by."""

    def __init__(self, objects: Iterable[ClusterNode]) -> None:
        self._by_name: dict[str, ClusterNode] = {}
        self._by_ip: dict[str, dict[str, ClusterNode]] = defaultdict(dict)
        self._by_hostname: dict[str, dict[str, ClusterNode]] = defaultdict(dict)
        for item in objects:
            self._by_name[item.name] = item
            for address in item.internal_ips:
                self._by_ip[address][item.name] = item
            for hostname in {item.hostname, item.labels.get("kubernetes.io/hostname", "")} - {""}:
                self._by_hostname[hostname.lower()][item.name] = item

    def find(self, node: Node) -> ClusterNode | Failure:
        if node.kubernetes_node is not None:
            named = self._by_name.get(node.kubernetes_node)
            if named is not None:
                return named
            return _failure(
                f"the cluster has no Node {node.kubernetes_node}, which `kubernetes_node` names",
                "correct `kubernetes_node` in the inventory",
            )
        by_ip, by_name = self._by_ip.get(canonical_ip(node.host), {}), self._named(node)
        both = by_ip.keys() & by_name.keys()
        candidates = {name: by_ip[name] for name in both} or by_ip or by_name
        if len(candidates) > 1:
            names = ", ".join(sorted(candidates))
            return _failure(f"several Nodes of the cluster match: {names}", _SET_KEY)
        for item in candidates.values():
            return item
        return _failure(f"the cluster has no Node with the address or name {node.host}", _SET_KEY)

    def _named(self, node: Node) -> Mapping[str, ClusterNode]:
        """Return the Nodes that match by the node's host, else those that match by its name."""
        for name in (node.host.lower(), node.name.lower()):
            named = self._by_name.get(name)
            matching = {name: named} if named is not None else self._by_hostname.get(name)
            if matching:
                return matching
        return {}


def _refuse_shared(found: dict[str, ClusterNode], failures: dict[str, Failure]) -> None:
    """Fail the nodes that match the same Node object: at most one of them can be right."""
    names: dict[str, list[str]] = defaultdict(list)
    for node, item in found.items():
        names[item.name].append(node)
    for item_name, sharing in names.items():
        for node in sharing if len(sharing) > 1 else ():
            others = ", ".join(other for other in sharing if other != node)
            text = f"its Node {item_name} in the cluster is also matched by {others}"
            failures[node] = _failure(text, _SET_KEY)
            del found[node]


def _failure(message: str, remedy: str) -> Failure:
    return Failure(FailureKind.CLUSTER, Step.CLUSTER, message, remedy)
