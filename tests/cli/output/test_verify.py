"""The results of verification pulls, and what a sample of nodes shows."""

from __future__ import annotations

import json

import pytest

from fleet.cli.output.verify import show_verified
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import (
    Liveness,
    LivenessState,
    NodeOutcome,
    NodeStatus,
    PullClient,
    Served,
    Verified,
)
from fleet.core.selection.sample import Sample
from tests.support.settings import JSON, TEXT, WIDE

GOOD = Verified(
    "a/b:1", ok=True, via=PullClient.CRICTL, mirror="m", seconds=1.5, size=9, served=Served.MIRROR
)
BAD = Verified("a/c:1", ok=False, via=PullClient.CTR, detail="no such host")
FAILED = NodeOutcome(
    node="w2",
    status=NodeStatus.FAILED,
    verified=(BAD,),
    failure=Failure(FailureKind.VERIFY, Step.VERIFY, "the pull failed", "try again"),
)
OUTCOMES = [NodeOutcome(node="w1", status=NodeStatus.UNCHANGED, verified=(GOOD,)), FAILED]


def test_every_pull_is_a_row_and_every_failure_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_verified(OUTCOMES, WIDE)

    head, first, second, failure, remedy = capsys.readouterr().out.splitlines()
    assert head.split() == ["NODE", "IMAGE", "RESULT", "BY", "TIME", "SIZE", "NOTE"]
    assert first.split() == ["w1", "a/b:1", "served", "by", "m", "crictl", "1.50", "s", "9", "B"]
    assert second.split()[:4] == ["w2", "a/c:1", "failed", "ctr"]
    assert second.endswith("no such host")
    assert failure.startswith("! w2: the pull failed")
    assert remedy == "  remedy: try again"


@pytest.mark.parametrize(
    ("liveness", "shown"),
    [
        (None, False),
        (Liveness(LivenessState.LIVE), False),
        (Liveness(LivenessState.NOT_READING, 1.0, "asked elsewhere"), True),
    ],
)
def test_a_daemon_that_does_not_read_its_folder_is_a_line(
    capsys: pytest.CaptureFixture[str], liveness: Liveness | None, *, shown: bool
) -> None:
    show_verified([NodeOutcome(node="w1", status=NodeStatus.UNCHANGED, liveness=liveness)], TEXT)

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == (["w1:"] if shown else [])


def test_a_sample_says_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = Sample(("w1",), 100)

    show_verified(OUTCOMES[:1], TEXT, chosen)
    show_verified(OUTCOMES[:1], JSON, chosen)

    *_, line, document = capsys.readouterr().out.split("\n", 3)[1:]
    most = f"at most {chosen.at_most} of 100 can be broken (95% confidence)."
    assert line == f"All 1 sampled node passed: {most}"
    assert json.loads(document)["sample"] == {
        "nodes": 1,
        "of": 100,
        "confidence": 0.95,
        "at_most_unhealthy": chosen.at_most,
    }


def test_the_json_of_all_nodes_has_no_sample(capsys: pytest.CaptureFixture[str]) -> None:
    show_verified(OUTCOMES, JSON)

    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["nodes"]
    assert {name: node["status"] for name, node in data["nodes"].items()} == {
        "w1": "unchanged",
        "w2": "failed",
    }
