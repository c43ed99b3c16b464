"""The kubelets of a verification: one for each node of a cluster, and why others have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.actions.verify import VerifyOptions, verify
from fleet.actions.verify_pods import open_kubelets
from fleet.core.kubernetes.pull_pod import LABELS
from fleet.core.model.node import ClusterSettings, Node
from fleet.errors import FleetError
from fleet.kubernetes.pull_pods import PodOptions
from tests.actions.conftest import Small
from tests.support.api_server import (
    Answer,
    Request,
    Respond,
    api_server,
    listing,
    node_object,
    status_object,
)
from tests.support.scripted_pool import Watcher

LEFT = {"metadata": {"name": "left", "labels": LABELS}, "status": {"phase": "Failed"}}


def answers(pods: Answer) -> Respond:
    """Return an API with the Node w1; what asks for pods gets one answer."""
    nodes = listing([node_object("w1")])

    def respond(request: Request) -> Answer:
        if request.method == "DELETE" or request.path.endswith("/left"):
            return status_object(404, "NotFound") if request.method == "GET" else Answer()
        return pods if request.path.endswith("/pods") else nodes(request)

    return respond


def node(name: str, kubeconfig: Path | None) -> Node:
    settings = ClusterSettings(str(kubeconfig)) if kubeconfig else None
    return Node(name=name, host=name, kubernetes=settings)


def test_each_node_of_the_cluster_has_its_kubelet_and_others_have_a_failure(tmp_path: Path) -> None:
    said: list[str] = []
    with api_server(answers(Answer(data={"items": [LEFT]}))) as server:
        config = server.kubeconfig(tmp_path)
        nodes = [node("w1", config), node("w9", config), node("x", None)]
        with open_kubelets(nodes, PodOptions(), None, said.append) as kubelets:
            pass

    assert {name: kubelet.node for name, kubelet in kubelets.nodes.items()} == {"w1": "w1"}
    assert {name: failure.message for name, failure in kubelets.failures.items()} == {
        "w9": "the cluster has no Node with the address or name w9",
        "x": "the inventory names no cluster for this node",
    }
    assert said == ["deleted 1 verification pod that a killed run had left"]
    assert [request.method for request in server.requests].count("DELETE") == 1


def test_a_cluster_that_shows_no_pods_fails_its_nodes(tmp_path: Path) -> None:
    with api_server(answers(status_object(403, "Forbidden"))) as server:
        nodes = [node("w1", server.kubeconfig(tmp_path))]
        with open_kubelets(nodes, PodOptions(namespace="web"), None, print) as kubelets:
            pass

    refused = "the cluster lab does not allow this login to list pods in the namespace web"
    assert (kubelets.nodes, kubelets.failures["w1"].message) == ({}, refused)


def test_without_a_cluster_nothing_is_verified() -> None:
    opened = open_kubelets([node("w1", None)], PodOptions(), None, print)

    with pytest.raises(FleetError, match="set `kubernetes` in the inventory"), opened:
        pytest.fail("there is no cluster")


def test_workers_in_other_processes_cannot_ask_the_cluster(small: Small) -> None:
    files = small.load()

    with pytest.raises(FleetError, match="--engine threads"):
        verify(
            files,
            files.inventory.nodes,
            VerifyOptions(pods=PodOptions()),
            small.session(Watcher()),
        )
