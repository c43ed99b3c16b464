"""The gates of a rollout's batches: snapshots, the wait for Ready, recoveries, a cluster away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fleet.actions import cluster_gates as gating
from fleet.actions import cluster_watch as watching
from fleet.actions.cluster_gates import BatchGates
from fleet.actions.cluster_watch import ClusterWatch, Patience
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.kubernetes.gates import NotReady
from fleet.core.model.node import ClusterSettings, Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.gates import GateDecision
from fleet.node.work_order import Deadlines
from tests.support.api_server import api_server, status_object
from tests.support.orders import order_of, plan_of
from tests.support.small_cluster import SmallCluster

P, C = NodeStatus.PENDING, NodeStatus.CONVERGED
FIRST, SECOND = {"w1": P, "w2": P}, {"w1": C, "w2": P}
DOWN = [{"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "down",
         "lastTransitionTime": "t9"}]  # fmt: skip


@dataclass
class Trial:
    """A cluster of w1 and w2, gates for a batch each, and what they said."""

    small: SmallCluster
    settings: ClusterSettings
    lines: list[str] = field(default_factory=list)
    stopping: bool = False

    def gates(self, **more: Any) -> BatchGates:
        nodes = [Node(name=name, host=name, kubernetes=self.settings) for name in ("w1", "w2")]
        return BatchGates(
            watch=ClusterWatch(nodes, None),
            patience=Patience(say=self.lines.append, stopping=lambda: self.stopping, seconds=0.05),
            batches=(("w1",), ("w2",)),
            **{"choice": NotReady.IN_ORDER, "ready_lag": 0.0, **more},
        )

    def restart(self, pod: str) -> None:
        (status,) = self.small.pods[pod]["status"]["containerStatuses"]
        status["restartCount"] += 1


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setattr(watching, "RETRY", 0.01)
    monkeypatch.setattr(gating, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(gating, "RECOVERY", 0.1)
    small = SmallCluster()
    for number in (1, 2):
        small.node(f"w{number}")
        pod = small.pod(f"web-{number}", f"w{number}")
        pod["status"] |= {
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {"name": "web", "restartCount": 0, "containerID": "c://1", "state": {"running": {}}}
            ],
        }
    with api_server(small.respond) as server:
        yield Trial(small, ClusterSettings(kubeconfig=str(server.kubeconfig(tmp_path))))


def decided(decision: GateDecision | None) -> GateDecision:
    assert decision is not None
    return decision


def converged(gates: BatchGates, name: str, *, restarted: bool = True, soak: int = 0) -> None:
    """Tell the gates how the work on a node ended."""
    order = order_of(plan_of(Node(name=name, host=name)), deadlines=Deadlines(soak=soak))
    outcome = NodeOutcome(node=name, status=C, restarted=restarted)
    assert gates.after_node(order, outcome) == outcome


def test_a_batch_after_which_all_is_as_before_passes(trial: Trial) -> None:
    gates = trial.gates()

    before = decided(gates.before_batch(0, FIRST))
    after = decided(gates.after_batch(0, SECOND))

    assert (before, after) == (GateDecision(), GateDecision())
    assert trial.lines == []


def test_a_container_that_restarts_meanwhile_flags_its_node(trial: Trial) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    trial.restart("web-1")

    decision = decided(gates.after_batch(0, SECOND))

    assert list(decision.flagged) == ["w1"]
    failure = decision.flagged["w1"]
    assert (failure.kind, failure.step) == (FailureKind.CLUSTER, Step.GATE)
    assert failure.message == "the container web of the pod shop/web-1 has restarted"


def test_a_restart_on_another_node_is_not_the_batchs(trial: Trial) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    trial.restart("web-2")

    assert decided(gates.after_batch(0, SECOND)).flagged == {}


def test_an_earlier_node_that_is_not_ready_any_more_is_found_later(trial: Trial) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    gates.after_batch(0, SECOND)
    gates.before_batch(1, SECOND)
    trial.small.nodes["w1"]["status"]["conditions"] = DOWN

    decision = decided(gates.after_batch(1, {"w1": C, "w2": C}))

    assert list(decision.flagged) == ["w1"]
    assert trial.lines == ["waiting for up to 0 s for 1 node to recover: w1"]


def test_a_finding_that_passes_is_waited_for(trial: Trial) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    info = trial.small.nodes["w1"]["status"]["nodeInfo"]
    info["containerRuntimeVersion"] = "containerd://Unknown"
    trial.small.answers = recover_after(2, lambda: info.update(containerRuntimeVersion="c://1"))

    decision = decided(gates.after_batch(0, SECOND))

    assert decision.flagged == {}
    assert trial.lines == ["waiting for up to 0 s for 1 node to recover: w1"]


def recover_after(requests: int, change: Callable[[], None]) -> Callable[[Any], None]:
    seen: list[Any] = []

    def answer(request: Any) -> None:
        seen.append(request)
        if len(seen) > requests:
            change()

    return answer


def test_ready_gets_its_time_to_lag_after_a_restart_alone(trial: Trial) -> None:
    gates = trial.gates(ready_lag=0.3)
    gates.before_batch(0, FIRST)
    converged(gates, "w1")
    began = time.monotonic()
    after_restart = decided(gates.after_batch(0, SECOND))
    took = time.monotonic() - began
    gates.before_batch(1, SECOND)
    converged(gates, "w2", restarted=False)

    without = decided(gates.after_batch(1, {"w1": C, "w2": C}))

    assert 0.2 < took < 5
    assert after_restart.waited > 0.2
    assert without.waited == 0
    assert trial.lines == ["waiting 0 s before asking the cluster: Ready lags behind a restart"]


def test_a_soak_on_the_node_is_part_of_the_lag(trial: Trial) -> None:
    gates = trial.gates(ready_lag=30)
    gates.before_batch(0, FIRST)
    converged(gates, "w1", soak=60)

    assert decided(gates.after_batch(0, SECOND)).waited == 0


def test_a_node_that_changed_nothing_is_not_judged(trial: Trial) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    trial.small.nodes["w1"]["status"]["conditions"] = DOWN

    assert gates.after_batch(0, {"w1": NodeStatus.FAILED, "w2": P}) == GateDecision()


def test_a_rolled_back_node_is_told_but_counts_once(trial: Trial) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    trial.restart("web-1")

    decision = decided(gates.after_batch(0, {"w1": NodeStatus.ROLLED_BACK, "w2": P}))

    assert decision.flagged == {}
    assert decision.notes == ("w1: the container web of the pod shop/web-1 has restarted",)


def test_a_node_that_an_earlier_run_found_not_ready_is_not_judged(trial: Trial) -> None:
    trial.small.nodes["w1"]["status"]["conditions"] = DOWN

    assert trial.gates(unready=frozenset({"w1"})).after_batch(0, SECOND) == GateDecision()
    assert list(decided(trial.gates().after_batch(0, SECOND)).flagged) == ["w1"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_gate_that_cannot_be_asked_halts_with_a_remedy(trial: Trial, when: str) -> None:
    gates = trial.gates()
    gates.before_batch(0, FIRST)
    trial.small.answers = lambda request: status_object(503, "ServiceUnavailable")

    decision = decided(
        gates.before_batch(1, SECOND) if when == "before" else gates.after_batch(0, SECOND)
    )

    assert decision.halt is not None
    assert decision.halt.kind is FailureKind.CLUSTER
    assert decision.halt.remedy.endswith("; then resume the rollout")
    assert (decision.flagged, decision.held) == ({}, {})


def test_a_stop_ends_every_wait(trial: Trial) -> None:
    gates = trial.gates(ready_lag=600)
    gates.before_batch(0, FIRST)
    converged(gates, "w1")
    trial.stopping = True

    assert gates.after_batch(0, SECOND) is None


def test_without_drains_a_node_is_not_prepared(trial: Trial) -> None:
    gates = trial.gates()
    failure = Failure(FailureKind.BUG, Step.BUG, "a bug", "report it")
    order = order_of(plan_of(Node(name="w1", host="w1")))

    assert gates.before_node(order) is None
    assert gates.after_node(order, failure) is failure
    assert gates.node_seconds == 0
