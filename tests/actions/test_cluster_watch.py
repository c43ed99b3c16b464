"""Node objects and pods of a fleet's clusters: what is asked, how often, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet.actions import cluster_watch as watching
from fleet.actions.cluster_watch import ClusterWatch, Patience, StoppedError
from fleet.core.model.node import ClusterSettings, Node
from fleet.kubernetes.client import ClusterError
from tests.support.api_server import Answer, ApiServer, Request, api_server, status_object
from tests.support.small_cluster import SmallCluster

AWAY = status_object(503, "ServiceUnavailable")
PODS = "/api/v1/pods"


@pytest.fixture
def small() -> SmallCluster:
    small = SmallCluster()
    for number in (1, 2, 3):
        small.node(f"w{number}")
        small.pod(f"web-{number}", f"w{number}")
    return small


@pytest.fixture
def server(small: SmallCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(watching, "RETRY", 0.01)
    with api_server(small.respond) as server:
        yield server


def watch_of(server: ApiServer, folder: Path, *names: str) -> ClusterWatch:
    settings = ClusterSettings(kubeconfig=str(server.kubeconfig(folder)))
    nodes = [Node(name=name, host=name, kubernetes=settings) for name in names]
    return ClusterWatch([*nodes, Node(name="bastion", host="bastion")], None)


def test_nodes_are_listed_once_and_pods_are_asked_node_by_node(
    server: ApiServer, tmp_path: Path
) -> None:
    watch = watch_of(server, tmp_path, "w1", "w2", "w3")

    nodes, unmatched = watch.nodes(Patience())
    pods = watch.pods(("w1", "w3"), Patience())

    assert (set(nodes), unmatched) == ({"w1", "w2", "w3"}, {})
    assert {name: [pod.name for pod in found] for name, found in pods.items()} == {
        "w1": ["web-1"], "w3": ["web-3"],
    }  # fmt: skip
    asked = [request.query.get("fieldSelector") for request in server.requests]
    assert asked == [None, "spec.nodeName=w1", "spec.nodeName=w3"]


def test_the_pods_of_most_nodes_are_listed_together(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "FEW", 1)
    watch = watch_of(server, tmp_path, "w1", "w2", "w3")
    watch.nodes(Patience())

    lines: list[str] = []
    pods = watch.pods(("w1", "w2"), Patience(say=lines.append))

    assert lines == ["reading the pods of 2 nodes"]
    assert {name: [pod.name for pod in found] for name, found in pods.items()} == {
        "w1": ["web-1"], "w2": ["web-2"],
    }  # fmt: skip
    assert [request.path for request in server.requests].count(PODS) == 1


def test_a_few_nodes_are_asked_one_by_one_and_one_that_is_gone_is_left_out(
    small: SmallCluster, server: ApiServer, tmp_path: Path
) -> None:
    watch = watch_of(server, tmp_path, "w1", "w2")
    watch.nodes(Patience())
    del small.nodes["w2"]

    assert list(watch.some_nodes(("w1", "w2"), Patience())) == ["w1"]


def test_a_node_without_a_node_object_is_unmatched(server: ApiServer, tmp_path: Path) -> None:
    nodes, unmatched = watch_of(server, tmp_path, "w1", "w9").nodes(Patience())

    assert (list(nodes), list(unmatched)) == (["w1"], ["w9"])


def test_an_api_that_is_away_is_asked_again_and_that_is_told_once(
    small: SmallCluster, server: ApiServer, tmp_path: Path
) -> None:
    small.answers = lambda request: AWAY if len(server.requests) < 4 else None
    lines: list[str] = []

    nodes, _ = watch_of(server, tmp_path, "w1").nodes(Patience(say=lines.append, seconds=9))

    assert list(nodes) == ["w1"]
    assert len(lines) == 1
    assert lines[0].endswith("trying again for up to 9 s")


def test_an_api_that_stays_away_is_given_up(
    small: SmallCluster, server: ApiServer, tmp_path: Path
) -> None:
    small.answers = lambda request: AWAY

    with pytest.raises(ClusterError, match="503"):
        watch_of(server, tmp_path, "w1").nodes(Patience(seconds=1))

    assert len(server.requests) > 1


def test_a_missing_right_is_not_asked_for_again(
    small: SmallCluster, server: ApiServer, tmp_path: Path
) -> None:
    small.answers = lambda request: status_object(403, "Forbidden")

    with pytest.raises(ClusterError, match="does not allow this login to list nodes"):
        watch_of(server, tmp_path, "w1").nodes(Patience(seconds=60))

    assert len(server.requests) == 1


def test_a_stop_ends_the_wait_for_an_api(
    small: SmallCluster, server: ApiServer, tmp_path: Path
) -> None:
    small.answers = lambda request: AWAY

    with pytest.raises(StoppedError):
        watch_of(server, tmp_path, "w1").nodes(Patience(stopping=lambda: True, seconds=60))


def test_every_page_of_pods_is_read_and_none_twice(
    small: SmallCluster, server: ApiServer, tmp_path: Path
) -> None:
    items = list(small.pods.values())

    def paged(request: Request) -> Answer | None:
        if request.path != PODS:
            return None
        first = "continue" not in request.query
        about = {"continue": "next"} if first else {}
        return Answer(data={"items": items[:1] if first else items, "metadata": about})

    respond: Callable[[Request], Answer | None] = paged
    small.answers = respond
    watch = watch_of(server, tmp_path, "w1")
    watch.nodes(Patience())

    pods = watch.pods(("w1",), Patience())

    assert [pod.name for pod in pods["w1"]] == ["web-1", "web-2", "web-3"]


def test_a_fleet_without_a_cluster_has_none() -> None:
    watch = ClusterWatch([Node(name="a", host="a")], None)

    assert not watch
    assert watch.names == frozenset()
    assert watch.nodes(Patience()) == ({}, {})


def test_nodes_that_were_never_listed_are_listed_first(server: ApiServer, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, "w1", "w2")

    assert list(watch.some_nodes(("w1",), Patience())) == ["w1"]
    assert [request.path for request in server.requests] == ["/api/v1/nodes"]
