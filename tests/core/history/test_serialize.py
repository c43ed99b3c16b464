"""Outcomes as data: all of an outcome comes back, also from a journal of the release before."""

from __future__ import annotations

import json

from fleet.core.failure import Failure, FailureKind
from fleet.core.history.serialize import outcome_data, read_outcome
from fleet.core.model.outcome import (
    HostAttempt,
    Liveness,
    NodeOutcome,
    NodeStatus,
    Served,
    Verified,
)

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
            via="crictl",
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
    liveness=Liveness("live", 0.1, "asked"),
    failure=Failure(FailureKind.HEALTH, "soak", "it fell; mend it", "evidence"),
    seconds=3.5,
    unproven=("quay.io",),
    held=True,
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
    assert outcome.liveness == Liveness("live", 0.02, "")
    assert outcome.status is NodeStatus.CONVERGED
