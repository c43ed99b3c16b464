"""The gates of a cluster: what is told, held back and counted, before and after a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.kubernetes.cluster_node import ClusterNode, Condition, Taint
from fleet.core.kubernetes.gates import (
    NodeView,
    NotReady,
    Snapshot,
    before_notes,
    decide_after,
    decide_before,
    findings,
    judge,
    not_ready,
    recovered,
)
from fleet.core.kubernetes.pod_health import ContainerHealth, PodHealth

KNOWN, UNKNOWN = "containerd://1.7.24", "containerd://Unknown"
DOWN = ("False", "KubeletNotReady", "container runtime is down")
RUNNING = ContainerHealth(0, "c://1", running=True)
POD = PodHealth(
    uid="u", namespace="web", name="web-1", node="w1", phase="Running", ready=True,
    containers={"web": RUNNING},
)  # fmt: skip


def node(
    name: str = "w1", ready: tuple[str, str, str] = ("True", "", ""), **more: Any
) -> ClusterNode:
    """Return a Node object; `since` is the last transition of its condition Ready."""
    since, kinds = more.pop("since", "t0"), more.pop("has", ())
    conditions = {kind: Condition(kind, "True") for kind in kinds}
    conditions["Ready"] = Condition("Ready", *ready, since=since)
    return ClusterNode(
        name=name, conditions=conditions, **{"container_runtime_version": KNOWN, **more}
    )


def view(
    before: ClusterNode | None = None,
    after: ClusterNode | None = None,
    pods: tuple[PodHealth, PodHealth | None] | None = None,
    **more: Any,
) -> NodeView:
    was, now = pods or (POD, POD)
    return NodeView(
        before=Snapshot(before or node(), (was,)),
        node=after or node(),
        pods=() if now is None else (now,),
        **more,
    )


@pytest.mark.parametrize(("ready", "reason"), [
    (("True", "KubeletReady", "fine"), ""),
    (DOWN, "not Ready: KubeletNotReady: container runtime is down"),
    (("Unknown", "NodeStatusUnknown", ""), "not Ready (unknown): NodeStatusUnknown"),
    (("False", "", ""), "not Ready"),
    (("False", "R", "a\nb\x1b[31m"), "not Ready: R: a b\\x1b[31m"),
])  # fmt: skip
def test_why_a_node_is_not_ready(ready: tuple[str, str, str], reason: str) -> None:
    assert not_ready(node(ready=ready)) == reason


def test_a_node_without_the_condition_has_not_reported() -> None:
    assert not_ready(ClusterNode(name="w1")) == "not Ready: the kubelet has not reported yet"


def test_a_long_text_of_the_cluster_is_cut() -> None:
    assert len(not_ready(node(ready=("False", "R", "word " * 500)))) < 330


@pytest.mark.parametrize(("changes", "notes"), [
    ({}, []),
    ({"unschedulable": True}, ["cordoned, and stays so"]),
    ({"has": ("DiskPressure", "MemoryPressure")}, ["has DiskPressure", "has MemoryPressure"]),
    ({"has": ("EtcdIsVoter",)}, []),
    ({"taints": (Taint("dedicated", "NoSchedule", "gpu"),)}, []),
    ({"taints": (Taint("node.kubernetes.io/unreachable", "NoExecute"),)}, []),
    ({"taints": (Taint("broken", "NoExecute"),)}, ["has the taint broken:NoExecute"]),
    ({"taints": (Taint("ToBeDeletedByClusterAutoscaler", "NoSchedule"),)},
     ["the cluster autoscaler is removing it"]),
])  # fmt: skip
def test_what_is_remarkable_before_a_batch(changes: dict[str, Any], notes: list[str]) -> None:
    assert before_notes(node(**changes)) == notes


def test_nodes_of_the_fleet_that_are_not_ready_are_unavailable() -> None:
    nodes = {"a": node("a"), "b": node("b", ready=DOWN), "x": node("x", ready=DOWN)}

    decision = decide_before("ab", "a", nodes, {}, NotReady.IN_ORDER)

    reason = "not Ready: KubeletNotReady: container runtime is down"
    assert decision.unavailable == {"b": reason, "x": reason}
    assert decision.notes == ("not Ready, outside this batch: b,x",)
    assert (decision.held, decision.halt) == ({}, None)


@pytest.mark.parametrize("choice", NotReady)
def test_a_node_of_the_batch_that_is_not_ready_is_told_and_skipped_by_choice(
    choice: NotReady,
) -> None:
    decision = decide_before("ab", "ab", {"a": node("a", ready=DOWN), "b": node("b")}, {}, choice)

    told = "a: not Ready: KubeletNotReady: container runtime is down"
    skipped = choice is NotReady.SKIP
    assert decision.notes == (f"{told} (skipped)" if skipped else told,)
    assert decision.excused == (frozenset("a") if skipped else frozenset())
    assert {name: failure.kind for name, failure in decision.held.items()} == (
        {"a": FailureKind.CLUSTER} if skipped else {}
    )


def test_a_node_without_a_node_object_is_held_back_before_any_batch() -> None:
    lost = Failure(FailureKind.CLUSTER, Step.GATE, "no Node", "set it")

    decision = decide_before(
        "abc", "a", {"a": node("a"), "b": node("b")}, {"c": lost}, NotReady.SKIP
    )

    assert decision.held == {"c": lost}
    assert decision.excused == frozenset()


def test_nothing_is_wrong_with_a_node_that_is_as_before() -> None:
    assert findings(view()) == []
    assert findings(NodeView(before=None, node=node())) == []


@pytest.mark.parametrize(("after", "message", "final"), [
    ({"ready": DOWN}, "its Node is not Ready: KubeletNotReady: container runtime is down", False),
    ({"container_runtime_version": UNKNOWN},
     "its Node does not know the version of containerd (containerd://Unknown)", False),
    ({"container_runtime_version": ""},
     "its Node does not know the version of containerd (nothing)", False),
    ({"has": ("DiskPressure",)}, "its Node has DiskPressure since the change", False),
    ({"has": ("ContainerRuntimeDown",)},
     "its Node has ContainerRuntimeDown since the change", False),
    ({"since": "t1"}, "its Node was not Ready for a time after the change", True),
])  # fmt: skip
def test_what_is_wrong_with_a_node_after_its_change(
    after: dict[str, Any], message: str, final: bool
) -> None:
    (finding,) = findings(view(after=node(**after)))

    assert (finding.message, finding.final) == (message, final)


def test_what_was_so_before_is_not_new() -> None:
    pressed = node(has=("DiskPressure",))

    assert findings(view(pressed, pressed)) == []
    assert findings(view(node(ready=DOWN), node(ready=DOWN))) == []
    assert findings(view(node(ready=DOWN), node(since="t1"))) == []


def test_a_node_object_that_is_gone_is_wrong() -> None:
    (finding,) = findings(NodeView(before=Snapshot(node()), node=None))

    assert (finding.message, finding.final) == ("its Node object is gone from the cluster", True)


def test_without_a_snapshot_only_the_present_state_is_judged() -> None:
    (finding,) = findings(NodeView(before=None, node=node(ready=DOWN), pods=(POD,)))

    assert finding.message.startswith("its Node is not Ready")
    assert findings(NodeView(before=None, node=node(has=("DiskPressure",), since="t9"))) == []


def test_a_kubelet_that_restarts_with_containerd_may_be_not_ready_for_a_while() -> None:
    passed = view(after=node(since="t1"), restarts_kubelet=True)

    assert findings(passed) == []
    assert recovered(passed) == "was not Ready while its kubelet restarted"
    assert recovered(view(restarts_kubelet=True)) == ""
    assert len(findings(view(after=node(ready=DOWN), restarts_kubelet=True))) == 1


@pytest.mark.parametrize("now", [
    replace(RUNNING, restarts=1, id="c://2", last_end="Error"),
    replace(RUNNING, restarts=1),
    replace(RUNNING, id="c://2", running=False, last_end="Error"),
])  # fmt: skip
def test_a_container_that_has_restarted_is_final(now: ContainerHealth) -> None:
    (finding,) = findings(view(pods=(POD, replace(POD, ready=False, containers={"web": now}))))

    assert finding.final
    assert finding.message.startswith("the container web of the pod web/web-1 has restarted")
    assert finding.message.endswith("(Error)") is bool(now.last_end)


def test_a_pod_that_is_not_ready_any_more_may_recover() -> None:
    (finding,) = findings(view(pods=(POD, replace(POD, ready=False, reason="Evicted"))))

    assert not finding.final
    assert finding.message == "the pod web/web-1 is not Ready any more (Evicted)"


@pytest.mark.parametrize(("before", "after"), [
    pytest.param(POD, None, id="deleted meanwhile, as by a rollout of its Deployment"),
    pytest.param(POD, replace(POD, uid="other", ready=False), id="replaced by another pod"),
    pytest.param(POD, replace(POD, ready=False, deleting=True), id="being deleted"),
    pytest.param(replace(POD, deleting=True), replace(POD, ready=False), id="was being deleted"),
    pytest.param(replace(POD, ready=False), replace(POD, ready=False), id="not ready before"),
    pytest.param(
        replace(POD, ready=False),
        replace(POD, containers={"web": replace(RUNNING, restarts=9)}),
        id="in a crash loop before"),
    pytest.param(POD, replace(POD, ready=False, phase="Succeeded"), id="completed"),
    pytest.param(
        replace(POD, ends_by_itself=True), replace(POD, ready=False, phase="Failed"),
        id="a Job's pod that failed"),
    pytest.param(
        replace(POD, containers={"init": replace(RUNNING, running=False)}),
        replace(POD, containers={"init": replace(RUNNING, running=False, id="c://7")}),
        id="an init container that had ended"),
])  # fmt: skip
def test_what_comes_and_goes_by_itself_is_no_fault_of_the_change(
    before: PodHealth, after: PodHealth | None
) -> None:
    assert findings(view(pods=(before, after))) == []


def test_pods_of_a_node_that_was_not_ready_are_not_compared() -> None:
    gone = node(ready=DOWN)

    assert findings(view(gone, gone, pods=(POD, replace(POD, ready=False)))) == []


def test_a_flagged_node_counts_and_names_its_findings() -> None:
    restarted = replace(POD, containers={"web": replace(RUNNING, restarts=1)})
    many = tuple(replace(restarted, uid=f"u{number}") for number in range(5))
    views = {
        "a": NodeView(
            before=Snapshot(node("n-a"), tuple(replace(POD, uid=pod.uid) for pod in many)),
            node=node("n-a"),
            pods=many,
        ),
        "b": view(),
    }

    decision = decide_after(judge(views), views, {"a", "b"}, 12.0)

    assert list(decision.flagged) == ["a"]
    failure = decision.flagged["a"]
    assert failure.kind is FailureKind.CLUSTER
    assert failure.message.count("has restarted") == 3
    assert failure.message.endswith("and 2 more findings")
    assert "kubectl describe node n-a" in failure.remedy
    assert decision.waited == 12.0


def test_a_node_that_has_failed_already_is_only_told() -> None:
    views = {"a": view(after=node(ready=DOWN))}

    decision = decide_after(judge(views), views, (), 0)

    assert decision.flagged == {}
    assert decision.notes[0].startswith("a: its Node is not Ready")


def test_only_nodes_without_a_final_finding_are_waited_for() -> None:
    restarted = replace(POD, ready=False, containers={"web": replace(RUNNING, restarts=1)})
    judgement = judge(
        {
            "final": view(pods=(POD, restarted)),
            "open": view(after=node(container_runtime_version=UNKNOWN)),
            "fine": view(),
        }
    )

    assert judgement.open == ["open"]
    assert set(judgement.wrong) == {"final", "open"}
