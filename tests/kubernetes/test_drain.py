"""Drains against a small cluster: evictions, budgets, deadlines, and an API that is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind
from fleet.core.kubernetes.drain import DrainOptions, Pod
from fleet.kubernetes import drain as draining
from fleet.kubernetes.client import Cluster
from fleet.kubernetes.drain import drain
from tests.support.api_server import Answer, Request, status_object
from tests.support.small_cluster import SmallCluster, serve

ASKED = DrainOptions(timeout=20)


@pytest.fixture
def small() -> SmallCluster:
    small = SmallCluster()
    small.node("w1")
    return small


@pytest.fixture
def client(
    small: SmallCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    monkeypatch.setattr(draining, "RETRY", 0.05)
    monkeypatch.setattr(draining, "POLL", 0.01)
    with serve(small, tmp_path) as client:
        yield client


def drained(client: Cluster, options: DrainOptions = ASKED) -> tuple[list[str], list[str]]:
    """Drain w1; return the evicted pods and the lines of progress."""
    lines: list[str] = []
    pods = drain(client, "w1", options, lines.append)
    assert not isinstance(pods, Failure), pods
    return sorted(pod.name for pod in pods), lines


def failed(client: Cluster, options: DrainOptions = ASKED) -> tuple[Failure, list[str]]:
    lines: list[str] = []
    failure = drain(client, "w1", options, lines.append)
    assert isinstance(failure, Failure)
    return failure, lines


def test_pods_are_evicted_and_daemon_sets_stay(small: SmallCluster, client: Cluster) -> None:
    small.pod("web")
    small.pod("agent", owner="DaemonSet")
    small.pod("elsewhere", node="w2")

    evicted, lines = drained(client)

    assert evicted == ["web"]
    assert lines == ["evicting 1 pod, 1 left in place"]
    assert set(small.pods) == {"agent", "elsewhere"}
    assert "gracePeriodSeconds" not in small.evictions[0]["deleteOptions"]


def test_the_grace_period_is_passed_on(small: SmallCluster, client: Cluster) -> None:
    small.pod("web")

    drained(client, DrainOptions(timeout=20, grace=7))

    assert small.evictions[0]["deleteOptions"]["gracePeriodSeconds"] == 7


def test_pods_that_would_be_lost_stop_the_drain_before_any_eviction(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("web")
    small.pod("bare", ownerReferences=[])

    failure, lines = failed(client)

    assert (failure.kind, lines, small.evictions) == (FailureKind.DRAIN, [], [])
    assert "shop/bare" in failure.message
    assert drained(client, DrainOptions(timeout=20, force=True))[0] == ["bare", "web"]


def test_a_budget_is_waited_for_and_named_once(small: SmallCluster, client: Cluster) -> None:
    small.pod("web")
    small.budgets["web"] = 0
    tries: list[str] = []

    def answers(request: Request) -> Answer | None:
        if request.path.endswith("/eviction"):
            tries.append(request.path)
            small.budgets["web"] = int(len(tries) > 3)
        return None

    small.answers = answers
    evicted, lines = drained(client)

    assert (evicted, len(tries)) == (["web"], 4)
    assert lines[1:] == [
        "shop/web is blocked: PodDisruptionBudget shop/web needs 2 healthy pods and has 2"
        " currently; retry every 5 s"
    ]


def test_a_budget_that_never_allows_it_ends_at_the_deadline(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("web")
    small.pod("free")
    small.budgets["web"] = 0

    failure, _ = failed(client, DrainOptions(timeout=1))

    assert failure.message == (
        "not drained within 1 s: shop/web: PodDisruptionBudget shop/web needs 2 healthy pods and"
        " has 2 currently"
    )
    assert set(small.pods) == {"web"}


def test_a_pod_that_does_not_end_is_named_at_the_deadline(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("slow")
    small.stuck.add("slow")

    failure, _ = failed(client, DrainOptions(timeout=1))

    assert failure.message == "not drained within 1 s: 1 pod did not end: shop/slow"
    assert len(small.evictions) == 1


def test_a_pod_that_is_being_deleted_is_waited_for_and_not_evicted(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("ending", deletionTimestamp="2026-01-01T00:00:00Z")
    looks: list[str] = []

    def answers(request: Request) -> Answer | None:
        looks.append(request.path)
        if len(looks) == 3:
            del small.pods["ending"]
        return None

    small.answers = answers

    assert drained(client)[0] == []
    assert (len(looks), small.evictions) == (3, [])


def test_a_later_pod_of_the_same_name_is_not_evicted(small: SmallCluster, client: Cluster) -> None:
    small.pod("db-0", owner="StatefulSet")

    def answers(request: Request) -> Answer | None:
        if request.path.endswith("/eviction"):
            small.pod("db-0", node="w2", owner="StatefulSet", uid="uid-new")
        return None

    small.answers = answers

    assert drained(client)[0] == ["db-0"]
    assert small.evictions == []
    assert small.pods["db-0"]["metadata"]["uid"] == "uid-new"


def test_a_missing_right_ends_the_drain_and_names_it(small: SmallCluster, client: Cluster) -> None:
    small.pod("web")

    def answers(request: Request) -> Answer | None:
        forbidden = request.path.endswith("/eviction")
        return status_object(403, "Forbidden", "no") if forbidden else None

    small.answers = answers
    failure, _ = failed(client)

    assert "create pods/eviction in the namespace shop" in failure.message


def test_an_eviction_that_is_refused_for_good_ends_the_drain(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("web")
    text = "This pod has more than one PodDisruptionBudget"

    def answers(request: Request) -> Answer | None:
        refused = request.path.endswith("/eviction")
        return status_object(500, "InternalError", text) if refused else None

    small.answers = answers
    failure, _ = failed(client)

    assert (failure.kind, failure.message) == (
        FailureKind.DRAIN, f"cannot evict shop/web: {text}",
    )  # fmt: skip


def test_an_api_that_is_away_for_a_moment_does_not_end_the_drain(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("web")
    asked: list[str] = []

    def answers(request: Request) -> Answer | None:
        asked.append(request.path)
        away = status_object(503, "ServiceUnavailable", "away")
        return away if asked.count(request.path) in {1, 3} else None

    small.answers = answers
    evicted, lines = drained(client)

    assert evicted == ["web"]
    assert lines[1:] == ["shop/web is blocked: away; retry every 5 s"]
    assert sum(path.endswith("/eviction") for path in asked) == 2


def test_an_api_that_stays_away_ends_the_drain_at_the_deadline(
    small: SmallCluster, client: Cluster
) -> None:
    small.answers = lambda request: status_object(503, "ServiceUnavailable", "away")

    failure, _ = failed(client, DrainOptions(timeout=1))

    assert failure.kind is FailureKind.CLUSTER


def test_evicted_pods_are_returned_with_their_namespaces(
    small: SmallCluster, client: Cluster
) -> None:
    small.pod("web")

    pods = drain(client, "w1", ASKED, str)

    assert pods == (Pod(namespace="shop", name="web", uid="uid-web", phase="Running",
                        controller="ReplicaSet"),)  # fmt: skip
