"""Verification of nodes as they are, of all of them or of a sample."""

from __future__ import annotations

import pytest

from fleet.actions.verify import VerifyOptions, self_test_nodes, verify
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.errors import FleetError
from fleet.node.probe_node import probe
from fleet.node.verify.run import verify as verify_node
from fleet.node.verify.selftest import self_test
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher

LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")


def test_outcomes_come_in_the_order_of_the_nodes(small: Small) -> None:
    files = small.load()
    small.pool.ends[verify_node, "b"] = NodeOutcome(
        node="b", status=NodeStatus.FAILED, failure=LOST
    )

    outcomes, sample = verify(
        files, files.inventory.nodes, VerifyOptions(), small.session(Watcher())
    )

    assert [(end.node, end.status) for end in outcomes] == [
        ("a", NodeStatus.UNCHANGED),
        ("b", NodeStatus.FAILED),
        ("c", NodeStatus.UNCHANGED),
    ]
    assert sample is None


def test_a_sample_leaves_the_other_nodes_alone(small: Small) -> None:
    files = small.load()

    outcomes, sample = verify(
        files, files.inventory.nodes, VerifyOptions(sample="1"), small.session(Watcher())
    )

    assert sample is not None
    assert [end.node for end in outcomes] == list(sample.names)
    assert {name for _, name in small.pool.done} == set(sample.names)
    with pytest.raises(FleetError, match="--sample"):
        verify(files, (), VerifyOptions(sample="x"), small.session(Watcher()))


def test_a_node_that_cannot_be_read_is_still_asked_to_verify(small: Small) -> None:
    files = small.load()
    small.pool.ends[probe, "b"] = LOST

    verify(files, files.inventory.nodes, VerifyOptions(), small.session(Watcher()))

    assert [name for work, name in small.pool.done if work == "verify"] == ["a", "b", "c"]


def test_a_bug_in_a_self_test_is_the_failure_of_its_node(small: Small) -> None:
    nodes, watcher = small.load().inventory.nodes, Watcher()
    small.pool.ends[self_test, "b"] = Failure(FailureKind.BUG, Step.BUG, "on purpose", "try again")

    outcomes = self_test_nodes(nodes, small.session(watcher), seconds=9)

    assert [end.status for end in outcomes] == [
        NodeStatus.UNCHANGED,
        NodeStatus.FAILED,
        NodeStatus.UNCHANGED,
    ]
    assert watcher.shown == ["self-test 3/3"]
