"""The clusters of a fleet: one for each access, their Node objects, failures as values."""

from __future__ import annotations

from pathlib import Path

from fleet.actions.clusters import connect_clusters
from fleet.core.failure import FailureKind
from fleet.core.model.node import ClusterSettings, Node
from tests.support.api_server import api_server, listing, node_object, status_object


def node(name: str, kubeconfig: Path | None = None, context: str | None = None) -> Node:
    settings = ClusterSettings(str(kubeconfig), context) if kubeconfig else None
    return Node(name=name, host=name, kubernetes=settings)


def test_without_a_cluster_nothing_is_asked() -> None:
    assert connect_clusters([node("w1"), node("w2")]) is None


def test_each_access_is_a_cluster_with_its_nodes(tmp_path: Path) -> None:
    with api_server(listing([node_object("w1"), node_object("w2")])) as server:
        config = server.kubeconfig(tmp_path)
        clusters = connect_clusters([node("w1", config), node("w2", config, "lab"), node("x")])

    assert clusters is not None
    assert [cluster.names for cluster in clusters] == [("w1",), ("w2",)]
    assert [{*cluster.nodes} for cluster in clusters] == [{"w1"}, {"w2"}]
    assert [cluster.failure for cluster in clusters] == [None, None]
    assert {cluster.cluster.name for cluster in clusters if cluster.cluster} == {"lab"}


def test_a_node_that_the_cluster_does_not_know_is_a_failure(tmp_path: Path) -> None:
    with api_server(listing([node_object("w1")])) as server:
        config = server.kubeconfig(tmp_path)
        (cluster,) = connect_clusters([node("w1", config), node("w9", config)]) or ()

    assert [*cluster.nodes] == ["w1"]
    assert [*cluster.failures] == ["w9"]
    assert cluster.failure is None


def test_a_context_on_the_command_line_is_the_cluster_of_all_nodes(tmp_path: Path) -> None:
    with api_server(listing([node_object("w1")])) as server:
        config = server.kubeconfig(tmp_path)
        (cluster,) = connect_clusters([node("w1", config, "other")], "lab") or ()

    assert cluster.settings == ClusterSettings(str(config), "lab")
    assert [*cluster.nodes] == ["w1"]


def test_a_cluster_that_refuses_is_a_failure_of_all_its_nodes(tmp_path: Path) -> None:
    with api_server(lambda _: status_object(403, "Forbidden")) as server:
        config = server.kubeconfig(tmp_path)
        (cluster,) = connect_clusters([node("w1", config), node("w2", config)]) or ()

    assert cluster.cluster is None
    assert cluster.failure is not None
    assert cluster.failure.kind is FailureKind.CLUSTER
    assert cluster.failures == {"w1": cluster.failure, "w2": cluster.failure}
