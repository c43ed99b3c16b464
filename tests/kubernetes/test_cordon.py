"""Cordons against a small cluster: marks, people who act meanwhile, and an API that is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.kubernetes.cordon import ANNOTATION, MANAGER, Cordon, CordonMark
from fleet.kubernetes import cordon as cordoning
from fleet.kubernetes.client import Cluster
from fleet.kubernetes.cordon import cordon, uncordon
from fleet.kubernetes.errors import ClusterError
from tests.support.api_server import Answer, Request, status_object
from tests.support.small_cluster import SmallCluster, serve

MINE = CordonMark("20260102-030405-beef", "2026-01-02T03:04:05Z", "ops@desk")
OTHER = CordonMark("20250102-030405-dead", "2025-01-02T03:04:05Z", "ops@desk")


@pytest.fixture
def small() -> SmallCluster:
    small = SmallCluster()
    small.node("w1")
    return small


@pytest.fixture
def client(
    small: SmallCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    monkeypatch.setattr(cordoning, "PAUSE", 0.01)
    with serve(small, tmp_path) as client:
        yield client


def undo(client: Cluster, mark: CordonMark = MINE) -> bool:
    return uncordon(client, "w1", mark.rollout, 5)


def test_a_cordon_and_its_mark_come_and_go_together(small: SmallCluster, client: Cluster) -> None:
    assert cordon(client, "w1", MINE, 5) is Cordon.FLEET
    assert (small.cordoned("w1"), small.annotations("w1")) == (True, {ANNOTATION: MINE.text})

    assert undo(client) is True
    assert (small.cordoned("w1"), small.annotations("w1")) == (False, {})
    assert undo(client) is False


def test_a_cordon_of_a_person_stays(small: SmallCluster, client: Cluster) -> None:
    small.set_unschedulable("w1", "kubectl-cordon", value=True)

    assert cordon(client, "w1", MINE, 5) is Cordon.PERSON
    assert small.annotations("w1") == {}
    assert undo(client) is False
    assert small.cordoned("w1")


def test_a_cordon_that_a_person_renews_meanwhile_stays(
    small: SmallCluster, client: Cluster
) -> None:
    cordon(client, "w1", MINE, 5)
    small.set_unschedulable("w1", "kubectl", value=False)
    small.set_unschedulable("w1", "kubectl", value=True)

    assert undo(client) is False
    assert (small.cordoned("w1"), small.annotations("w1")) == (True, {})


def test_a_node_that_a_person_uncordons_meanwhile_is_not_cordoned_again(
    small: SmallCluster, client: Cluster
) -> None:
    cordon(client, "w1", MINE, 5)
    small.set_unschedulable("w1", "kubectl", value=False)

    assert undo(client) is False
    assert (small.cordoned("w1"), small.annotations("w1")) == (False, {})


def test_a_mark_that_a_person_takes_off_makes_the_cordon_theirs(
    small: SmallCluster, client: Cluster
) -> None:
    cordon(client, "w1", MINE, 5)
    small.annotations("w1").clear()

    assert undo(client) is False
    assert small.cordoned("w1")


def test_a_cordon_that_a_person_sets_between_reading_and_writing_stays(
    small: SmallCluster, client: Cluster
) -> None:
    def answers(request: Request) -> Answer | None:
        if request.method == "PATCH":
            small.set_unschedulable("w1", "kubectl", value=True)
        return None

    small.answers = answers

    assert cordon(client, "w1", MINE, 5) is Cordon.PERSON
    assert (small.cordoned("w1"), small.annotations("w1")) == (True, {})


def test_other_changes_of_the_node_only_cost_another_try(
    small: SmallCluster, client: Cluster
) -> None:
    changes = iter(range(3))

    def answers(request: Request) -> Answer | None:
        if request.method == "PATCH" and next(changes, None) is not None:
            small.touch("w1")
        return None

    small.answers = answers

    assert cordon(client, "w1", MINE, 5) is Cordon.FLEET
    assert undo(client) is True


def test_the_mark_of_a_dead_rollout_is_replaced_and_only_ones_own_is_undone(
    small: SmallCluster, client: Cluster
) -> None:
    cordon(client, "w1", OTHER, 5)

    assert undo(client) is False
    assert small.cordoned("w1")
    assert cordon(client, "w1", MINE, 5) is Cordon.FLEET
    assert undo(client, OTHER) is False
    assert undo(client) is True
    assert not small.cordoned("w1")


def test_fleet_is_recorded_as_the_one_that_cordons(small: SmallCluster, client: Cluster) -> None:
    cordon(client, "w1", MINE, 5)

    (entry,) = small.nodes["w1"]["metadata"]["managedFields"]
    assert entry["manager"] == MANAGER


def test_an_api_that_is_away_for_a_moment_is_waited_for(
    small: SmallCluster, client: Cluster
) -> None:
    asked: list[str] = []

    def answers(request: Request) -> Answer | None:
        asked.append(request.method)
        return None if len(asked) % 3 else status_object(503, "ServiceUnavailable")

    small.answers = answers

    assert cordon(client, "w1", MINE, 5) is Cordon.FLEET
    assert undo(client) is True


def test_a_node_that_is_gone_needs_no_uncordon(small: SmallCluster, client: Cluster) -> None:
    cordon(client, "w1", MINE, 5)
    small.nodes.clear()

    assert undo(client) is False


def test_a_missing_right_is_named(small: SmallCluster, client: Cluster) -> None:
    def answers(request: Request) -> Answer | None:
        return status_object(403, "Forbidden") if request.method == "PATCH" else None

    small.answers = answers

    with pytest.raises(ClusterError, match="patch nodes"):
        cordon(client, "w1", MINE, 5)
    assert not small.cordoned("w1")
