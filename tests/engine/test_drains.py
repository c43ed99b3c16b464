"""Cordons and drains around a node's work: what is undone, and on which nodes it stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.kubernetes.cordon import ANNOTATION, CordonMark
from fleet.core.kubernetes.drain import DrainOptions
from fleet.core.model.change import RestartCost
from fleet.core.model.node import Node
from fleet.core.model.outcome import DrainResult, NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import PlannedRestart
from fleet.engine.drains import DrainTarget, NodeDrains, lift_cordons
from fleet.kubernetes import cordon as cordoning
from fleet.kubernetes import drain as draining
from fleet.kubernetes.client import Cluster
from fleet.node.work_order import WorkOrder
from tests.support.api_server import Answer, Request, status_object
from tests.support.orders import order_of, plan_of
from tests.support.small_cluster import SmallCluster, serve

MARK = CordonMark("r1", "2026-01-02T03:04:05Z", "ops@desk")
W1 = Node(name="w1", host="w1")
RESTART = PlannedRestart(cost=RestartCost.RESTART)
ORDER = order_of(plan_of(W1, restart=RESTART))
CONVERGED = NodeOutcome(node="w1", status=NodeStatus.CONVERGED)
AWAY = status_object(503, "ServiceUnavailable")


@pytest.fixture
def small() -> SmallCluster:
    small = SmallCluster()
    small.node("w1")
    small.pod("web")
    return small


@pytest.fixture
def client(
    small: SmallCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    monkeypatch.setattr(draining, "RETRY", 0.05)
    monkeypatch.setattr(draining, "POLL", 0.01)
    monkeypatch.setattr(cordoning, "PAUSE", 0.01)
    monkeypatch.setattr("fleet.engine.drains.PATIENCE", 0.2)
    with serve(small, tmp_path) as client:
        yield client


class Trial:
    """Drains of w1, and what they report."""

    def __init__(self, client: Cluster, drain: DrainOptions | None = None) -> None:
        self.lines: list[str] = []
        self.stopping = False
        self.drains = NodeDrains(
            mark=MARK,
            drain=drain,
            targets={"w1": DrainTarget(client, "w1")},
            report=self.lines.append,
            stopping=lambda: self.stopping,
        )

    def run(self, outcome: NodeOutcome = CONVERGED, order: WorkOrder = ORDER) -> NodeOutcome:
        """Work on w1 as the driver does, with this outcome of its activation."""
        failure = self.drains.before(order)
        if failure is not None:
            status = NodeStatus.FAILED
            outcome = NodeOutcome(node="w1", status=status, failure=failure, held=True)
        ended = self.drains.after(order, outcome)
        assert isinstance(ended, NodeOutcome)
        return ended


def test_a_node_is_cordoned_drained_and_uncordoned(small: SmallCluster, client: Cluster) -> None:
    trial = Trial(client, DrainOptions(timeout=9))
    failure = trial.drains.before(ORDER)
    during = small.cordoned("w1"), dict(small.annotations("w1"))

    outcome = trial.drains.after(ORDER, CONVERGED)

    assert failure is None
    assert during == (True, {ANNOTATION: MARK.text})
    assert (small.cordoned("w1"), small.annotations("w1"), small.pods) == (False, {}, {})
    assert outcome.drain is not None
    assert outcome.drain.evicted == ("shop/web",)
    assert (outcome.drain.drained, outcome.drain.still_cordoned) == (True, False)
    assert trial.lines == ["w1: evicting 1 pod"]


def test_a_cordon_alone_leaves_the_pods(small: SmallCluster, client: Cluster) -> None:
    outcome = Trial(client).run()

    assert outcome.drain == DrainResult(cordoned=True)
    assert set(small.pods) == {"web"}


def test_a_change_without_a_restart_needs_neither(small: SmallCluster, client: Cluster) -> None:
    outcome = Trial(client, DrainOptions(timeout=9)).run(order=order_of(plan_of(W1)))

    assert outcome == CONVERGED
    assert set(small.pods) == {"web"}


def test_a_restart_by_the_distribution_is_a_restart(small: SmallCluster, client: Cluster) -> None:
    restart = PlannedRestart(cost=RestartCost.RESTART, by_distribution=True)

    Trial(client, DrainOptions(timeout=9)).run(order=order_of(plan_of(W1, restart=restart)))

    assert small.pods == {}


def test_a_drain_that_times_out_uncordons_and_fails_the_node(
    small: SmallCluster, client: Cluster
) -> None:
    small.budgets["web"] = 0

    outcome = Trial(client, DrainOptions(timeout=1)).run()

    assert (outcome.status, outcome.held) == (NodeStatus.FAILED, True)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.DRAIN
    assert outcome.drain == DrainResult(cordoned=True)
    assert (small.cordoned("w1"), set(small.pods)) == (False, {"web"})


def test_a_node_that_a_person_cordoned_is_drained_and_stays_cordoned(
    small: SmallCluster, client: Cluster
) -> None:
    small.set_unschedulable("w1", "kubectl-cordon", value=True)

    outcome = Trial(client, DrainOptions(timeout=9)).run()

    assert outcome.drain is not None
    assert (outcome.drain.kept_cordon, outcome.drain.cordoned) == (True, False)
    assert (small.cordoned("w1"), small.pods) == (True, {})


@pytest.mark.parametrize(
    "lost",
    [
        NodeOutcome(node="w1", status=NodeStatus.DEGRADED),
        NodeOutcome(
            node="w1",
            status=NodeStatus.UNREACHABLE,
            failure=Failure(FailureKind.CONNECT, Step.SETTLE, "lost", "resume"),
        ),
    ],
)
def test_a_degraded_or_lost_node_stays_cordoned(
    small: SmallCluster, client: Cluster, lost: NodeOutcome
) -> None:
    trial = Trial(client)

    outcome = trial.run(lost)

    assert outcome.drain == DrainResult(cordoned=True, still_cordoned=True)
    assert list(trial.drains.finish([outcome], str)) == []
    assert small.cordoned("w1")


def test_a_reverted_node_is_uncordoned(small: SmallCluster, client: Cluster) -> None:
    Trial(client).run(NodeOutcome(node="w1", status=NodeStatus.ROLLED_BACK))

    assert not small.cordoned("w1")


def test_a_drain_that_the_user_stops_leaves_the_node_pending(
    small: SmallCluster, client: Cluster
) -> None:
    trial = Trial(client, DrainOptions(timeout=60))
    trial.stopping = True

    outcome = trial.run()

    assert (outcome.status, outcome.failure, outcome.held) == (NodeStatus.PENDING, None, True)
    assert not small.cordoned("w1")


def test_a_cordon_that_cannot_be_undone_is_tried_again_at_the_end(
    small: SmallCluster, client: Cluster
) -> None:
    trial = Trial(client)
    trial.drains.before(ORDER)
    small.answers = lambda request: AWAY
    outcome = trial.drains.after(ORDER, CONVERGED)
    still = list(trial.drains.finish([outcome], trial.lines.append))
    small.answers = lambda request: None

    (ended,) = trial.drains.finish([outcome], str)

    assert outcome.drain == DrainResult(cordoned=True, still_cordoned=True)
    assert still == []
    assert [line.split(":")[:2] for line in trial.lines] == [["w1", " still cordoned"]] * 2
    assert ended.drain == DrainResult(cordoned=True)
    assert not small.cordoned("w1")


def test_a_cordon_whose_answer_is_lost_is_undone(small: SmallCluster, client: Cluster) -> None:
    def lose(request: Request) -> Answer | None:
        if request.method == "PATCH":
            small.answers = lambda request: AWAY
            small.respond_to(request)
            return AWAY
        return None

    small.answers = lose
    trial = Trial(client)
    failure = trial.drains.before(ORDER)
    cordoned = small.cordoned("w1")
    small.answers = lambda request: None
    status = NodeStatus.FAILED

    outcome = trial.drains.after(ORDER, NodeOutcome(node="w1", status=status, failure=failure))

    assert failure is not None
    assert cordoned
    assert (small.cordoned("w1"), outcome.drain) == (False, DrainResult())


def test_a_missing_right_fails_the_node_and_leaves_nothing(
    small: SmallCluster, client: Cluster
) -> None:
    def answers(request: Request) -> Answer | None:
        return status_object(403, "Forbidden") if request.method == "PATCH" else None

    small.answers = answers

    outcome = Trial(client).run()

    assert outcome.failure is not None
    assert "patch nodes" in outcome.failure.message
    assert outcome.drain is None


def test_a_node_without_a_node_object_fails(client: Cluster) -> None:
    trial = Trial(client)
    unknown = Failure(FailureKind.CLUSTER, Step.CLUSTER, "no Node", "name it")
    trial.drains.targets = {"w1": unknown}

    assert trial.drains.before(ORDER) is unknown
    trial.drains.targets = {}
    assert trial.drains.before(ORDER) is None


def test_the_work_on_a_node_may_take_as_long_as_its_drain() -> None:
    def seconds(drain: DrainOptions | None) -> float:
        return NodeDrains(mark=MARK, drain=drain, targets={}, report=str).seconds

    assert seconds(DrainOptions(timeout=900)) > 900 + seconds(None)


def test_only_the_cordons_of_a_dead_rollout_are_lifted(
    small: SmallCluster, client: Cluster
) -> None:
    for name in ("w2", "w3"):
        small.node(name)
    small.set_unschedulable("w2", "kubectl", value=True)
    targets = {name: DrainTarget(client, name) for name in ("w1", "w2", "w3")}
    Trial(client).drains.before(ORDER)

    assert lift_cordons(targets, "r2") == {}
    assert lift_cordons(targets, "r1") == {"w1": None}
    assert [small.cordoned(name) for name in targets] == [False, True, False]


def test_a_cordon_that_cannot_be_lifted_is_named_with_the_reason(
    small: SmallCluster, client: Cluster
) -> None:
    small.answers = lambda request: AWAY

    ends = lift_cordons({"w1": DrainTarget(client, "w1")}, "r1")

    assert [failure and failure.kind for failure in ends.values()] == [FailureKind.CLUSTER]
