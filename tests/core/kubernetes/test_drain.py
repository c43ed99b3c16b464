"""The pods that a drain evicts, leaves or refuses, and the API's answers to evictions."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.failure import FailureKind, Step
from fleet.core.kubernetes.drain import (
    DrainOptions,
    EvictionState,
    Pod,
    PodFate,
    blocked_lines,
    eviction_answer,
    names,
    parse_pod,
    plan_drain,
    pod_fate,
    timeout_failure,
)

ASKED = DrainOptions(timeout=60)


def raw_pod(name: str = "p", **more: Any) -> dict[str, Any]:
    owner = {"kind": more.get("owner", "ReplicaSet"), "controller": True}
    about = {"namespace": "shop", "name": name, "uid": f"uid-{name}"}
    return {
        "metadata": {**about, "ownerReferences": [owner], **more.get("metadata", {})},
        "spec": {"volumes": [{"name": "v", **more["volume"]}] if "volume" in more else []},
        "status": {"phase": more.get("phase", "Running")},
    }


def fate(options: DrainOptions = ASKED, **more: Any) -> PodFate:
    return pod_fate(parse_pod(raw_pod(**more)), options)


BARE: dict[str, Any] = {"ownerReferences": []}
SCRATCH: dict[str, Any] = {"emptyDir": {}}


def test_a_pod_of_a_controller_is_evicted() -> None:
    assert fate() is PodFate.EVICT
    assert fate(owner="StatefulSet") is PodFate.EVICT
    assert fate(volume={"configMap": {"name": "c"}}) is PodFate.EVICT


def test_daemon_sets_static_pods_and_finished_pods_are_left() -> None:
    assert fate(owner="DaemonSet") is PodFate.LEAVE
    assert fate(metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}) is PodFate.LEAVE
    assert fate(phase="Succeeded", metadata=BARE, volume=SCRATCH) is PodFate.LEAVE
    assert fate(phase="Failed", metadata=BARE) is PodFate.LEAVE


def test_pods_that_would_be_lost_are_refused_unless_asked_for() -> None:
    force = DrainOptions(timeout=60, force=True)
    delete = DrainOptions(timeout=60, delete_emptydir_data=True)

    assert fate(metadata=BARE) is PodFate.REFUSE
    assert fate(force, metadata=BARE) is PodFate.EVICT
    assert fate(volume=SCRATCH) is PodFate.REFUSE
    assert fate(volume={"emptyDir": {"medium": "Memory"}}) is PodFate.REFUSE
    assert fate(delete, volume=SCRATCH) is PodFate.EVICT
    assert fate(delete, volume=SCRATCH, metadata=BARE) is PodFate.REFUSE


def test_an_owner_that_is_not_the_controller_does_not_bring_the_pod_back() -> None:
    owners = [{"kind": "DaemonSet", "controller": False}, {"kind": "Node"}]

    assert fate(metadata={"ownerReferences": owners}) is PodFate.REFUSE


def test_a_pod_that_is_being_deleted_is_waited_for() -> None:
    deleting = {"deletionTimestamp": "2026-01-01T00:00:00Z"}

    assert fate(metadata=deleting) is PodFate.DELETING
    assert fate(metadata={**BARE, **deleting}, volume=SCRATCH) is PodFate.DELETING
    assert fate(owner="DaemonSet", metadata=deleting) is PodFate.LEAVE


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"metadata": None, "spec": [], "status": "x"},
        {"metadata": {"ownerReferences": {"kind": "DaemonSet"}, "annotations": []}},
        {"metadata": {"ownerReferences": [None, 3]}, "spec": {"volumes": ["x", None]}},
    ],
)
def test_a_pod_of_odd_shape_is_never_evicted_unasked(raw: dict[str, Any]) -> None:
    assert pod_fate(parse_pod(raw), ASKED) is PodFate.REFUSE


def test_the_plan_names_every_reason_to_refuse() -> None:
    both = raw_pod("d", volume=SCRATCH)
    both["metadata"]["ownerReferences"] = []
    bare = raw_pod("b")
    bare["metadata"]["ownerReferences"] = []
    raws = [raw_pod("a", volume=SCRATCH), bare, raw_pod("c"), both]
    plan = plan_drain(map(parse_pod, raws), ASKED)
    refusal = plan.refusal

    assert [pod.name for pod in plan.evicted] == ["c"]
    assert refusal is not None
    assert (refusal.kind, refusal.step) == (FailureKind.DRAIN, Step.DRAIN)
    assert refusal.message == (
        "cannot evict pods with local storage (emptyDir): shop/a, shop/d;"
        " cannot evict pods that declare no controller: shop/b, shop/d"
    )
    assert "--delete-emptydir-data and --drain-force" in refusal.remedy


def test_a_plan_without_refused_pods_has_no_refusal() -> None:
    plan = plan_drain([parse_pod(raw_pod("a")), parse_pod(raw_pod("b", owner="DaemonSet"))], ASKED)

    assert plan.refusal is None
    assert ([pod.name for pod in plan.evicted], [pod.name for pod in plan.left]) == (["a"], ["b"])


def test_a_spent_budget_is_named_with_its_numbers() -> None:
    cause = "The disruption budget web needs 2 healthy pods and has 2 currently"
    answer = eviction_answer("shop", 429, {"DisruptionBudget": cause}, "Cannot evict pod")

    assert answer.state is EvictionState.BLOCKED
    assert answer.reason == (
        "PodDisruptionBudget shop/web needs 2 healthy pods and has 2 currently"
    )


def test_other_refusals_for_now_are_told_from_a_budget() -> None:
    busy = eviction_answer("shop", 429, {}, "too many requests")
    unknown = eviction_answer("shop", 429, {"DisruptionBudget": "new words"}, "")
    ending = eviction_answer("shop", 403, {"NamespaceTerminating": ""}, "forbidden")
    silent = eviction_answer("shop", 0, {}, "connection refused")

    assert {busy.state, unknown.state, ending.state, silent.state} == {EvictionState.BLOCKED}
    assert busy.reason == "the API is busy (429)"
    assert unknown.reason == "a PodDisruptionBudget allows no disruption (new words)"
    assert ending.reason == "namespace shop is being deleted"
    assert silent.reason == "connection refused"


def test_a_pod_that_is_gone_needs_no_eviction() -> None:
    assert eviction_answer("shop", 404, {}, "").state is EvictionState.GONE


@pytest.mark.parametrize("code", [400, 401, 403, 422, 500])
def test_any_other_answer_ends_the_drain(code: int) -> None:
    answer = eviction_answer("shop", code, {}, "more than one PodDisruptionBudget")

    assert answer.state is EvictionState.REFUSED
    assert answer.reason == "more than one PodDisruptionBudget"


def some_pods(count: int) -> list[Pod]:
    return [Pod(namespace="shop", name=f"p{number}", uid=f"u{number}") for number in range(count)]


def test_a_timeout_names_what_blocked_and_what_did_not_end() -> None:
    web, slow = some_pods(2)
    failure = timeout_failure(60, {web: "PodDisruptionBudget shop/web needs 2"}, [slow])

    assert failure.message == (
        "not drained within 60 s: shop/p0: PodDisruptionBudget shop/web needs 2;"
        " 1 pod did not end: shop/p1"
    )
    assert "--drain-timeout" in failure.remedy


def test_pods_that_are_blocked_for_one_reason_share_a_line() -> None:
    *many, last = some_pods(8)
    blocked = {**dict.fromkeys(many, "budget"), last: "the API is busy (429)"}

    assert blocked_lines(blocked) == [
        "shop/p0, shop/p1, shop/p2, shop/p3, shop/p4 and 2 more are blocked: budget; retry every"
        " 5 s",
        "shop/p7 is blocked: the API is busy (429); retry every 5 s",
    ]
    assert timeout_failure(9, blocked, ()).message.endswith(
        "shop/p4 and 2 more: budget; shop/p7: the API is busy (429)"
    )


def test_many_pods_are_named_by_the_first_ones() -> None:
    pods = [Pod(namespace="n", name=f"p{number}", uid="") for number in range(7)]

    assert names(pods) == "n/p0, n/p1, n/p2, n/p3, n/p4 and 2 more"
