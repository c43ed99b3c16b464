"""Files that are not as fleet wrote them: nodes with the same drift together, then a count."""

from __future__ import annotations

import json

import pytest

from fleet.cli.output.drift import show_drift
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import STATE_FILE, NodeFacts
from fleet.core.model.node import Node
from fleet.core.model.owned_state import OwnedState
from fleet.core.plan.drift import Drift, DriftedFile
from fleet.core.plan.node_plan import NodePlan
from fleet.engine.survey import NodeSurvey
from tests.support.build import healthy
from tests.support.settings import JSON, TEXT, WIDE

WRITTEN = ManagedFile(b"a\n")
STATE = OwnedState(files={"/etc/a": WRITTEN.digest}, generation="r1")
RECORD = {STATE_FILE: ManagedFile(STATE.render())}
MANAGED = healthy(NodeFacts(files={**RECORD, "/etc/a": WRITTEN}))
DRIFTED = healthy(NodeFacts(files={**RECORD, "/etc/a": ManagedFile(b"b\n")}))
EDITED = DriftedFile("/etc/a", Drift.CHANGED, "an editor", 1_700_000_000, "-a\n+b\n")
GONE = DriftedFile("/etc/b", Drift.MISSING, "unknown", None, "")
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")


def surveyed(name: str, facts: NodeFacts | None, failure: Failure | None = None) -> NodeSurvey:
    node = Node(name=name, host=name)
    return NodeSurvey(node, facts, NodePlan(node=node, failure=failure))


EXAMINED = [
    (surveyed("w1", DRIFTED), (EDITED,)),
    (surveyed("w2", DRIFTED), (EDITED,)),
    (surveyed("w3", MANAGED), ()),
    (surveyed("w4", healthy(NodeFacts())), ()),
    (surveyed("w5", None, LOST), ()),
]


def test_nodes_with_the_same_drift_share_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_drift(EXAMINED, WIDE)

    _, row, failure, remedy, counts, _ = capsys.readouterr().out.splitlines()
    assert row.split() == [
        *("w[1-2]", "changed", "/etc/a", "an", "editor", "overwrites", "it", "(backup", "kept)"),
        *("2023-11-14", "22:13:20"),
    ]
    assert failure.startswith("w5: timed out")
    assert remedy == "  remedy: try again"
    assert counts == "2 in sync, 2 drifted, 1 unreachable"


def test_without_drift_there_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_drift([(surveyed("w3", MANAGED), ())], TEXT)

    assert capsys.readouterr().out == "1 in sync\n"


def test_drift_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_drift([(surveyed("w1", DRIFTED), (EDITED, GONE)), EXAMINED[4]], JSON)

    nodes = json.loads(capsys.readouterr().out)["nodes"]
    assert nodes["w1"] == {
        "state": "drifted",
        "generation": "r1",
        "files": [
            {
                "path": "/etc/a",
                "drift": "changed",
                "author": "an editor",
                "changed_at": "2023-11-14 22:13:20",
                "rollout": "overwrites it (backup kept)",
                "diff": "-a\n+b\n",
            },
            {
                "path": "/etc/b",
                "drift": "missing",
                "author": "unknown",
                "changed_at": None,
                "rollout": "ignores it",
                "diff": "",
            },
        ],
        "failure": None,
    }
    assert (nodes["w5"]["state"], nodes["w5"]["generation"]) == ("unreachable", None)
