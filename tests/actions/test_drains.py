"""Rollouts that cordon and drain: resume and unlock after a crash, and what ends them early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.actions.drains import (
    clusters_to_drain,
    refuse_unknown,
    resumed_options,
    unlock_cordons,
)
from fleet.actions.job import RolloutResult
from fleet.actions.options import RolloutOptions
from fleet.actions.resume import resume
from fleet.actions.rollout import plan_rollout
from fleet.core.failure import FailureKind
from fleet.core.model.change import RestartCost
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import PlannedRestart
from fleet.engine import drains as engine
from fleet.errors import FleetError
from fleet.journal import Journal
from fleet.kubernetes import cordon as cordoning
from fleet.kubernetes import drain as draining
from tests.actions.conftest import Small
from tests.support.api_server import api_server, status_object
from tests.support.orders import plan_of
from tests.support.scripted_pool import Killed, Watcher
from tests.support.small_cluster import SmallCluster

NAMES = ("a", "b", "c")


@pytest.fixture
def cluster() -> SmallCluster:
    cluster = SmallCluster()
    for name in NAMES:
        cluster.node(name)
        cluster.pod(f"web-{name}", node=name)
    return cluster


@pytest.fixture
def member(
    small: Small, cluster: SmallCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Small]:
    """Return the small fleet, as nodes of the cluster."""
    monkeypatch.setattr(draining, "RETRY", 0.05)
    monkeypatch.setattr(draining, "POLL", 0.01)
    monkeypatch.setattr(cordoning, "PAUSE", 0.01)
    monkeypatch.setattr(engine, "PATIENCE", 0.2)
    with api_server(cluster.respond) as server:
        kubeconfig = server.kubeconfig(tmp_path)
        hosts = "{a: {}, b: {}, c: {}}"
        small.target.inventory.write_text(
            f"all: {{vars: {{kubernetes: {{kubeconfig: {kubeconfig}}}}}, hosts: {hosts}}}\n"
        )
        yield small


class Listener(Watcher):
    """A user who writes the lines of progress down as well."""

    def line(self, text: str) -> None:
        self.shown.append(text)


def drained(member: Small, watcher: Watcher | None = None, **options: object) -> RolloutResult:
    return member.rollout(watcher or Watcher(), drain=True, drain_timeout=1, **options)


def cordoned(cluster: SmallCluster) -> list[str]:
    return [name for name in NAMES if cluster.cordoned(name)]


def died(member: Small, place: str = "b running") -> str:
    """Let fleet die in a rollout with drains; return the rollout."""
    with pytest.raises(Killed):
        drained(member, Watcher(die_at=place))
    return next(iter(Journal(member.target.journal, read_only=True).rollouts())).id


def leave_cordoned(member: Small, cluster: SmallCluster, name: str) -> None:
    """Cordon a node as the rollout that died would have done a moment later."""
    rollout = next(iter(Journal(member.target.journal, read_only=True).rollouts())).id
    text = f'{{"rollout": "{rollout}", "at": "", "operator": ""}}'
    cluster.nodes[name]["metadata"]["annotations"] = {"containerd-fleet/cordon": text}
    cluster.set_unschedulable(name, "containerd-fleet", value=True)


def test_every_node_is_drained_and_uncordoned(member: Small, cluster: SmallCluster) -> None:
    watcher = Listener()

    result = drained(member, watcher)

    drains = [end.drain for end in result.outcomes.values()]
    assert result.status == "finished"
    assert [drain and drain.evicted for drain in drains] == [
        ("shop/web-a",), ("shop/web-b",), ("shop/web-c",),
    ]  # fmt: skip
    assert (cluster.pods, cordoned(cluster)) == ({}, [])
    assert "a: evicting 1 pod" in watcher.shown


def test_a_blocked_drain_fails_its_node_and_halts(member: Small, cluster: SmallCluster) -> None:
    cluster.budgets["web-b"] = 0

    result = drained(member)

    ends = result.outcomes
    assert result.status == "halted"
    assert [end.status for end in ends.values()] == [
        NodeStatus.CONVERGED, NodeStatus.FAILED, NodeStatus.PENDING,
    ]  # fmt: skip
    failure = ends["b"].failure
    assert failure is not None
    assert failure.kind is FailureKind.DRAIN
    assert not any(end.held for end in ends.values())
    assert ("converge", "b") not in member.pool.done
    assert ("release_once", "b") in member.pool.done
    assert cordoned(cluster) == []


def test_a_resume_uncordons_what_a_dead_run_has_left(member: Small, cluster: SmallCluster) -> None:
    died(member)
    leave_cordoned(member, cluster, "b")
    cluster.set_unschedulable("c", "kubectl-cordon", value=True)
    watcher = Watcher()

    result = member.resume(watcher)

    assert result.status == "finished"
    assert "b: uncordoned" in watcher.shown
    assert cordoned(cluster) == ["c"]
    assert {name for name in NAMES if f"web-{name}" in cluster.pods} == set()


def test_a_resume_may_go_on_without_drains(member: Small, cluster: SmallCluster) -> None:
    died(member)
    leave_cordoned(member, cluster, "b")
    cluster.budgets |= {"web-b": 0, "web-c": 0}

    result = resume(member.target, None, member.session(Watcher()), member.load, {"drain": False})

    assert result.status == "finished"
    assert set(cluster.pods) == {"web-b", "web-c"}
    assert cordoned(cluster) == []


def test_a_resume_may_change_the_options_of_drains(member: Small, cluster: SmallCluster) -> None:
    options = RolloutOptions(drain=True, pod_grace=30, drain_force=True)

    without = resumed_options(options, {"drain": False, "cordon": True, "drain_timeout": None})
    longer = resumed_options(options, {"drain_timeout": 900})

    assert without == RolloutOptions(cordon=True)
    assert longer == replace(options, drain_timeout=900)
    with pytest.raises(FleetError, match="--no-drain"):
        resumed_options(options, {"cordon": False})


def test_an_unlock_uncordons_what_a_dead_run_has_left(member: Small, cluster: SmallCluster) -> None:
    rollout = died(member)
    leave_cordoned(member, cluster, "b")
    nodes = member.load().inventory.nodes

    assert unlock_cordons(nodes, "20200101-000000-aaaa", member.target.journal, None) == {}
    assert cordoned(cluster) == ["b"]
    assert unlock_cordons(nodes, rollout, member.target.journal, None) == {"b": None}
    assert cordoned(cluster) == []


def test_an_unlock_names_the_nodes_whose_cluster_is_away(
    member: Small, cluster: SmallCluster
) -> None:
    rollout = died(member)
    cluster.answers = lambda request: status_object(503, "ServiceUnavailable")
    nodes = member.load().inventory.nodes

    ends = unlock_cordons(nodes, rollout, member.target.journal, None)

    assert set(ends) == set(NAMES)
    assert all(ends.values())


def test_the_cluster_of_a_rollout_without_cordons_may_be_away(
    member: Small, cluster: SmallCluster
) -> None:
    with pytest.raises(Killed):
        member.rollout(Watcher(die_at="b running"))
    rollout = next(iter(Journal(member.target.journal, read_only=True).rollouts())).id
    cluster.answers = lambda request: status_object(503, "ServiceUnavailable")
    nodes = member.load().inventory.nodes

    assert unlock_cordons(nodes, rollout, member.target.journal, None) == {}


def test_a_drain_without_a_cluster_ends_before_any_node_is_asked(small: Small) -> None:
    with pytest.raises(FleetError, match="--kube-context"):
        drained(small)

    assert small.pool.done == []


def test_a_drain_whose_cluster_is_away_ends_before_any_node_is_asked(
    member: Small, cluster: SmallCluster
) -> None:
    cluster.answers = lambda request: status_object(503, "ServiceUnavailable")

    with pytest.raises(FleetError, match="--drain"):
        drained(member)

    assert member.pool.done == []


def test_a_node_that_the_cluster_does_not_have_fails_in_the_plan(
    member: Small, cluster: SmallCluster
) -> None:
    del cluster.nodes["b"]
    files, session = member.load(), member.session(Watcher())
    options = RolloutOptions(drain=True)

    plans = plan_rollout(files, files.inventory.nodes, options, session)

    assert [plan.failure and plan.failure.kind for plan in plans] == [
        None, FailureKind.CLUSTER, None,
    ]  # fmt: skip
    assert cluster.evictions == []


def test_nodes_without_a_restart_are_named(member: Small) -> None:
    nodes = member.load().inventory.nodes
    clusters = clusters_to_drain(RolloutOptions(drain=True), nodes)
    restart = PlannedRestart(cost=RestartCost.RESTART)
    plans = [plan_of(nodes[0], restart=restart), *map(plan_of, nodes[1:])]
    lines: list[str] = []

    assert refuse_unknown(plans, clusters, lines.append) == plans
    assert lines == ["b,c: neither cordoned nor drained, since containerd is not restarted"]


def test_a_user_who_stops_ends_a_drain_that_waits(member: Small, cluster: SmallCluster) -> None:
    cluster.budgets["web-b"] = 0

    class Stopping(Listener):
        def stopping(self) -> bool:
            return any("is blocked" in line for line in self.shown)

    result = member.rollout(Stopping(), drain=True, drain_timeout=60)

    assert result.status == "interrupted"
    assert result.outcomes["b"].status is NodeStatus.PENDING
    assert not result.outcomes["b"].held
    assert cordoned(cluster) == []
    cluster.budgets["web-b"] = 1
    assert member.resume(Watcher()).status == "finished"
