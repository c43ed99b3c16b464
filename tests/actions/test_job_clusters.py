"""Rollouts of nodes in a cluster: what is asked, shown and journaled, and what a resume does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.actions import cluster_gates as gating
from fleet.actions import cluster_watch as watching
from fleet.actions import job_clusters
from fleet.actions.history import past_rollouts, report_of
from fleet.core.model.outcome import NodeStatus
from fleet.errors import FleetError
from fleet.node.converge import converge
from tests.actions.conftest import Small
from tests.actions.test_cluster_gates import DOWN
from tests.support.api_server import Request, api_server, status_object
from tests.support.scripted_pool import INVENTORY, Watcher
from tests.support.small_cluster import SmallCluster

C, F, P = NodeStatus.CONVERGED, NodeStatus.FAILED, NodeStatus.PENDING


@pytest.fixture
def cluster(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SmallCluster]:
    """Return the cluster of the small fleet's nodes a, b and c."""
    monkeypatch.setattr(watching, "RETRY", 0.01)
    monkeypatch.setattr(job_clusters, "PATIENCE", 0.1)
    monkeypatch.setattr(job_clusters, "FIRST_PATIENCE", 0.1)
    monkeypatch.setattr(gating, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(gating, "RECOVERY", 0.05)
    found = SmallCluster()
    for name in "abc":
        found.node(name)
    with api_server(found.respond) as server:
        kubeconfig = json.dumps({"kubeconfig": str(server.kubeconfig(tmp_path))})
        text = INVENTORY.replace("all: {", f"all: {{vars: {{kubernetes: {kubeconfig}}}, ", 1)
        (small.folder / "inventory.yaml").write_text(text)
        yield found


def down(cluster: SmallCluster, name: str) -> None:
    cluster.nodes[name]["status"]["conditions"] = DOWN


def test_a_rollout_asks_around_every_batch_and_journals_it(
    small: Small, cluster: SmallCluster
) -> None:
    result = small.rollout(Watcher())

    asked = [(gate.batch, str(gate.when)) for gate in result.gates]
    assert asked == [(batch, when) for batch in range(3) for when in ("before", "after")]
    assert small.kinds().count("gate") == 6
    (past,) = past_rollouts(small.target.journal)
    assert len(past["gates"]) == 6
    assert report_of(small.target.journal, "last")["gates"] == past["gates"]


def test_a_fleet_without_a_cluster_has_no_gates(small: Small) -> None:
    result = small.rollout(Watcher())

    assert result.gates == ()
    assert "gate" not in small.kinds()


@pytest.mark.parametrize(("choice", "batches"), [
    ("in-order", (("a",), ("b",), ("c",))),
    ("first", (("c",), ("a",), ("b",))),
    ("skip", (("a",), ("b",), ("c",))),
])  # fmt: skip
def test_a_node_that_is_not_ready_keeps_its_place_goes_first_or_is_skipped(
    small: Small, cluster: SmallCluster, choice: str, batches: tuple[tuple[str, ...], ...]
) -> None:
    down(cluster, "c")

    result = small.rollout(Watcher(), not_ready=choice)

    assert (result.status, result.batches) == ("finished", batches)
    assert result.outcomes["c"].status is (F if choice == "skip" else C)
    assert ("converge", "c") in small.pool.done or choice == "skip"


def test_a_flagged_node_halts_and_a_resume_accepts_it(small: Small, cluster: SmallCluster) -> None:
    def fall(request: Request) -> None:
        if ("converge", "a") in small.pool.done:
            down(cluster, "a")

    cluster.answers = fall
    halted = small.rollout(Watcher())
    shown = halted.outcomes["a"]
    cluster.answers = lambda request: None
    cluster.node("a")

    resumed = small.resume(Watcher(), halted.rollout)

    assert halted.status == "halted"
    assert (shown.status, shown.flagged) == (C, True)
    assert halted.outcomes["b"].status is P
    assert resumed.status == "finished"
    assert {end.status for end in resumed.outcomes.values()} == {C}
    assert not resumed.outcomes["a"].flagged


def test_an_api_that_goes_away_halts_and_a_resume_goes_on(
    small: Small, cluster: SmallCluster
) -> None:
    def leave(request: Request) -> object:
        away = ("converge", "a") in small.pool.done
        return status_object(503, "ServiceUnavailable") if away else None

    cluster.answers = leave  # type: ignore[assignment]
    halted = small.rollout(Watcher())
    cluster.answers = lambda request: None

    resumed = small.resume(Watcher(), halted.rollout)

    assert halted.status == "halted"
    assert halted.reason.endswith("then resume the rollout")
    assert [end.status for end in halted.outcomes.values()] == [C, P, P]
    assert resumed.status == "finished"


def test_a_cluster_that_cannot_be_asked_ends_the_rollout_before_it_begins(
    small: Small, cluster: SmallCluster
) -> None:
    cluster.answers = lambda request: status_object(403, "Forbidden")

    with pytest.raises(FleetError, match=r"list nodes\. Nothing was changed; grant the right"):
        small.rollout(Watcher())

    assert (converge.__name__, "a") not in small.pool.done


def test_a_node_without_a_node_object_fails_and_is_not_changed(
    small: Small, cluster: SmallCluster
) -> None:
    del cluster.nodes["b"]

    result = small.rollout(Watcher(), max_failures="1")

    assert [end.status for end in result.outcomes.values()] == [C, F, C]
    failure = result.outcomes["b"].failure
    assert failure is not None
    assert "kubernetes_node" in failure.remedy
