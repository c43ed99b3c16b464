"""The client of a cluster's API: pages, failures by status, logins, deadlines."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet.core.failure import FailureKind
from fleet.kubernetes.client import Cluster, ClusterError, api_path
from tests.support.api_server import (
    Answer,
    ApiServer,
    Request,
    Respond,
    api_server,
    listing,
    node_object,
    status_object,
)
from tests.support.tcp_server import tcp_server

NODES = "/api/v1/nodes"


@contextmanager
def connected(
    respond: Respond, folder: Path, seconds: float = 30, **user: Any
) -> Iterator[tuple[Cluster, ApiServer]]:
    with api_server(respond) as server:
        cluster = Cluster.connect(str(server.kubeconfig(folder, **user)), seconds=seconds)
        yield cluster, server
        cluster.close()


def always(answer: Answer) -> Respond:
    return lambda _: answer


def refused(respond: Respond, folder: Path, path: str = NODES, method: str = "get") -> ClusterError:
    """Return the error of one call."""
    with connected(respond, folder) as (cluster, _):
        call = {
            "get": lambda: cluster.get(path),
            "post": lambda: cluster.post(path, {}),
            "patch": lambda: cluster.patch(path, {}),
            "delete": lambda: cluster.delete(path),
        }[method]
        with pytest.raises(ClusterError) as caught:
            call()
    return caught.value


def test_the_context_of_a_kubeconfig_is_the_clusters_name(tmp_path: Path) -> None:
    with connected(always(Answer()), tmp_path) as (cluster, _):
        assert cluster.name == "lab"


def test_a_list_is_read_in_pages_of_500(tmp_path: Path) -> None:
    nodes = [node_object(f"n{number}") for number in range(1203)]
    with connected(listing(nodes), tmp_path) as (cluster, server):
        names = [item["metadata"]["name"] for item in cluster.items(NODES)]

    assert names == [f"n{number}" for number in range(1203)]
    assert [request.query["limit"] for request in server.requests] == ["500"] * 3


def test_a_list_that_expires_goes_on_with_what_is_there_now(tmp_path: Path) -> None:
    def respond(request: Request) -> Answer:
        token = request.query.get("continue")
        if token == "old":
            gone = status_object(410, "Expired")
            return Answer(410, {**gone.data, "metadata": {"continue": "new"}})
        names = ("a", "b") if token is None else ("b", "c")
        rest = "old" if token is None else ""
        return Answer(data={"metadata": {"continue": rest}, "items": [*map(node_object, names)]})

    with connected(respond, tmp_path) as (cluster, _):
        assert [item["metadata"]["name"] for item in cluster.items(NODES)] == ["a", "b", "c"]


def test_a_list_that_expires_for_good_is_a_failure(tmp_path: Path) -> None:
    error = refused(always(status_object(410, "Expired")), tmp_path)

    assert (error.status, error.reason) == (410, "Expired")


def test_bodies_have_the_content_type_of_their_patch(tmp_path: Path) -> None:
    with connected(always(Answer()), tmp_path) as (cluster, server):
        cluster.post("/api/v1/events", {"a": 1})
        cluster.patch(api_path("api", "v1", "nodes", "w1"), {"spec": {}})
        cluster.patch(api_path("api", "v1", "nodes", "w1"), [{"op": "test"}])
        cluster.delete("/api/v1/nodes/w1", {"gracePeriodSeconds": 0})

    sent = [(each.method, each.headers["Content-Type"], each.body) for each in server.requests]
    assert sent == [
        ("POST", "application/json", {"a": 1}),
        ("PATCH", "application/merge-patch+json", {"spec": {}}),
        ("PATCH", "application/json-patch+json", [{"op": "test"}]),
        ("DELETE", "application/json", {"gracePeriodSeconds": 0}),
    ]
    assert {each.headers["Authorization"] for each in server.requests} == {"Bearer t0ken-of-lab"}


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("get", NODES, "list nodes"),
        ("get", "/api/v1/nodes/w1", "get nodes"),
        ("patch", "/api/v1/nodes/w1", "patch nodes"),
        (
            "post",
            "/api/v1/namespaces/web/pods/p/eviction",
            "create pods/eviction in the namespace web",
        ),
        (
            "get",
            "/apis/policy/v1/namespaces/web/poddisruptionbudgets",
            "list poddisruptionbudgets.policy in the namespace web",
        ),
        ("delete", "/api/v1/namespaces/web", "delete namespaces"),
    ],
)
def test_missing_rights_are_named(method: str, path: str, action: str, tmp_path: Path) -> None:
    error = refused(always(status_object(403, "Forbidden", "nodes is f")), tmp_path, path, method)

    assert error.failure.message == f"the cluster lab does not allow this login to {action}"
    assert (
        error.failure.remedy
        == "grant the right; docs/how-to/kubernetes-rights.md has the manifests"
    )
    assert error.failure.evidence == "nodes is f"
    assert error.failure.kind is FailureKind.CLUSTER


def test_a_budget_that_forbids_an_eviction_is_told_by_its_cause(tmp_path: Path) -> None:
    answer = status_object(429, "TooManyRequests", "Cannot evict pod", "DisruptionBudget")
    error = refused(always(answer), tmp_path, "/api/v1/namespaces/d/pods/p/eviction", "post")

    assert (error.status, error.reason) == (429, "TooManyRequests")
    assert error.causes.keys() == {"DisruptionBudget"}


def test_a_login_that_is_not_accepted_is_named(tmp_path: Path) -> None:
    error = refused(always(status_object(401, "Unauthorized")), tmp_path)

    assert error.failure.message == "the cluster lab does not accept the kubeconfig's login"


def test_secrets_that_the_api_repeats_are_masked(tmp_path: Path) -> None:
    answer = status_object(500, "InternalError", "bad token t0ken-of-lab\x1b[2J")
    error = refused(always(answer), tmp_path)

    assert "t0ken-of-lab" not in str(error.failure)
    assert "\x1b" not in str(error.failure)


@pytest.mark.parametrize("data", [b"<html>", b"[]", b"[" * 100_000], ids=["html", "list", "deep"])
def test_an_answer_that_is_not_an_object_is_a_failure(data: bytes, tmp_path: Path) -> None:
    error = refused(always(Answer(data=data)), tmp_path)

    assert error.failure.message.endswith("with something that is not JSON")


def test_redirects_are_not_followed(tmp_path: Path) -> None:
    elsewhere = Answer(302, headers={"Location": "http://127.0.0.1:1/"})
    error = refused(always(elsewhere), tmp_path)

    assert (
        error.failure.message == "lab redirects requests (HTTP 302), which no API of a cluster does"
    )


def test_a_server_that_does_not_answer_ends_at_the_deadline(tmp_path: Path) -> None:
    def late(_: Request) -> Answer:
        time.sleep(1)
        return Answer()

    started = time.monotonic()
    with connected(late, tmp_path, seconds=0.3) as (cluster, _):
        with pytest.raises(ClusterError) as caught:
            cluster.get(NODES)
        took = time.monotonic() - started

    assert caught.value.failure.message.endswith("did not answer in time")
    assert took < 0.9


def test_an_answer_that_drips_ends_at_the_deadline(tmp_path: Path) -> None:
    def drip(wire: Any) -> None:
        wire.recv(4096)
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            wire.sendall(b" ")
            time.sleep(0.05)

    with tcp_server(drip) as port:
        server = ApiServer(f"http://127.0.0.1:{port}")
        cluster = Cluster.connect(str(server.kubeconfig(tmp_path)), seconds=0.4)
        started = time.monotonic()
        with pytest.raises(ClusterError) as caught:
            cluster.get(NODES)
        cluster.close()

    assert caught.value.failure.message.endswith("did not answer in time")
    assert time.monotonic() - started < 2


def test_a_server_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    server = ApiServer("http://127.0.0.1:1")
    cluster = Cluster.connect(str(server.kubeconfig(tmp_path)))
    with pytest.raises(ClusterError) as caught:
        cluster.get(NODES)

    assert caught.value.failure.message == (
        "the API server http://127.0.0.1:1 cannot be reached: Connection refused"
    )


def test_an_answer_may_be_compressed(tmp_path: Path) -> None:
    answer = Answer(data=gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})
    with connected(always(answer), tmp_path) as (cluster, server):
        assert cluster.get(NODES) == {"a": 1}

    assert server.requests[0].headers["Accept-Encoding"] == "gzip"
