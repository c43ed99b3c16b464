"""Outcomes as data: all of an outcome comes back, also from a journal of the release before."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.history.serialize import (
    failure_data,
    finding_data,
    liveness_data,
    outcome_data,
    plan_data,
    read_outcome,
    role_data,
    rollout_data,
)
from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.node import Node
from fleet.core.model.outcome import (
    DrainResult,
    HostAttempt,
    Liveness,
    LivenessState,
    NodeOutcome,
    NodeStatus,
    PullClient,
    Served,
    Verified,
)
from fleet.core.plan.node_plan import NodePlan, PlannedPulls, PlannedRestart
from fleet.core.rollout.control_plane import Availability
from tests.support.build import failure

WHOLE = NodeOutcome(
    node="a",
    status=NodeStatus.ROLLED_BACK,
    strategy="certs.d",
    containerd="1.7.24",
    changed=True,
    restarted=True,
    generation="20260101-000000-abcd",
    verified=(
        Verified(
            image="docker.io/library/busybox:1.36",
            ok=True,
            via=PullClient.CRICTL,
            mirror="http://10.0.0.1:5000",
            seconds=0.5,
            detail="asked twice",
            served=Served.MIRROR,
            size=2048,
            digest="sha256:aa",
            attempts=(HostAttempt("10.0.0.1:5000", "manifest", "200"),),
            evidence="its log",
        ),
    ),
    liveness=Liveness(LivenessState.LIVE, 0.1, "asked"),
    failure=Failure(FailureKind.HEALTH, Step.SOAK, "it fell", "restart it", "evidence"),
    seconds=3.5,
    unproven=("quay.io",),
    held=True,
    drain=DrainResult(cordoned=True, drained=True, evicted=("shop/web",), seconds=4.2),
)
BEFORE = """{"status": "converged", "strategy": "certs.d", "containerd": "2.1.3", "changed": true,
"restarted": true, "generation": "g", "verified": [{"image": "i", "ok": true, "via": "cri",
"mirror": "m", "seconds": 0.2, "detail": "", "served": "mirror", "bytes": 9, "digest": "d",
"hops": [{"host": "h", "what": "resolve", "said": "200 OK"}], "evidence": ""}],
"liveness": {"state": "live", "seconds": 0.02, "said": ""}, "failure": null, "seconds": 1.5}"""


def test_all_of_an_outcome_comes_back() -> None:
    assert read_outcome("a", json.loads(json.dumps(outcome_data(WHOLE)))) == WHOLE


def test_an_entry_of_the_release_before_is_read() -> None:
    outcome = read_outcome("b", json.loads(BEFORE))

    assert outcome.verified[0].attempts == (HostAttempt("h", "resolve", "200 OK"),)
    assert outcome.liveness == Liveness(LivenessState.LIVE, 0.02, "")
    assert outcome.status is NodeStatus.CONVERGED


@pytest.mark.parametrize(
    ("former", "state"),
    [("deaf", LivenessState.NOT_READING), ("unasked", LivenessState.UNCHECKED)],
)
def test_a_former_word_of_a_journal_is_read(former: str, state: LivenessState) -> None:
    liveness = {"state": former, "seconds": 1.0, "said": "no answer"}

    outcome = read_outcome("b", {"status": "converged", "liveness": liveness})

    assert outcome.liveness == Liveness(state, 1.0, "no answer")


def test_a_failure_at_a_step_of_another_release_is_read() -> None:
    failed = {"kind": "health", "step": "apply", "message": "it fell; restart it"}
    kept = "the step is unknown to this fleet: apply"

    outcome = read_outcome("b", {"status": "failed", "failure": failed})

    expected = Failure(FailureKind.HEALTH, Step.READ, "it fell; restart it", "", kept)
    assert outcome.failure == expected


@pytest.mark.parametrize("step", Step)
def test_every_step_comes_back(step: Step) -> None:
    data = failure_data(failure(step=step))

    assert read_outcome("a", {"status": "failed", "failure": data}).failure == failure(step=step)


def test_only_the_status_of_an_outcome_is_required() -> None:
    assert read_outcome("a", {"status": "failed"}) == NodeOutcome(
        node="a", status=NodeStatus.FAILED
    )


def test_a_pull_of_an_early_release_has_an_image_a_result_and_a_client() -> None:
    pull = {"image": "busybox", "ok": True, "via": "ctr"}

    outcome = read_outcome("a", {"status": "converged", "verified": [pull]})

    assert outcome.verified == (Verified("busybox", True, PullClient.CTR),)


def test_users_see_a_staged_node_as_pending() -> None:
    assert outcome_data(replace(WHOLE, status=NodeStatus.STAGED))["status"] == "pending"


def test_a_failure_without_evidence_has_no_such_key() -> None:
    data = failure_data(failure(evidence=""))

    assert data is not None
    assert "evidence" not in data
    assert (data["kind"], data["step"], data["message"]) == ("verify", "verify", "the pull failed")


def test_what_did_not_happen_is_none() -> None:
    assert failure_data(None) is None
    assert liveness_data(None) is None


FINDING = Finding("legacy", FindingEffect.HEALS, "/a:1", "is legacy", stops_cri=True)
CHANGE = Change("/etc/x", None, ManagedFile(b"new\n"))
PLAN = NodePlan(
    node=Node(name="a", host="a"),
    strategy="certs.d",
    containerd="1.7.24",
    changes=(CHANGE,),
    findings=(FINDING,),
    notes=("a note",),
    restart=PlannedRestart(cost=RestartCost.RESTART),
    pulls=PlannedPulls(unproven=("quay.io",)),
    availability=Availability(control_plane=("process etcd",)),
)


def test_a_finding_as_data() -> None:
    assert finding_data(FINDING) == {
        "code": "legacy",
        "effect": "heals",
        "where": "/a:1",
        "message": "is legacy",
        "stops_cri": True,
    }


def test_a_plan_as_data() -> None:
    assert plan_data(PLAN, stars) == {
        "state": None,
        "strategy": "certs.d",
        "containerd": "1.7.24",
        "disruption": "restart",
        "role": "control-plane",
        "role_evidence": ["process etcd"],
        "etcd": None,
        "changes": [
            {
                "path": "/etc/x",
                "action": "create",
                "diff": "--- /dev/null\n+++ /etc/x\n@@ -0,0 +1 @@\n+new",
            }
        ],
        "meaning": [
            {"subject": "/etc/x", "aspect": "file", "item": "", "before": None, "after": "there"}
        ],
        "unproven": ["quay.io"],
        "notes": ["a note"],
        "conflicts": [finding_data(FINDING)],
        "failure": None,
    }


def test_a_worker_has_no_role() -> None:
    worker = replace(PLAN, availability=Availability())

    assert role_data(worker) == {"role": None, "role_evidence": [], "etcd": None}


def test_a_rollout_as_data() -> None:
    assert rollout_data("r1", "finished", {"a": {}}, (("a",), ())) == {
        "rollout": "r1",
        "status": "finished",
        "nodes": {"a": {}},
        "batches": [["a"], []],
        "gates": [],
    }
