"""A rollout that is prepared from surveys: batches, budget, and nodes that are done already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.actions.prepared_rollout import plan
from fleet.actions.survey import survey
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeStatus
from fleet.engine.survey import NodeSurvey
from fleet.errors import FleetError
from fleet.node.probe_node import probe
from fleet.node.work_order import Deadlines
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher

RISK = Failure(FailureKind.CONFLICT, Step.PLAN, "a restart would end 3 containers", "try again")


def surveyed(small: Small) -> list[NodeSurvey]:
    files = small.load()
    return survey(files, files.inventory.nodes, small.session(Watcher()))


def test_nodes_are_cut_into_batches_and_failures_are_counted_in_percent(small: Small) -> None:
    prepared = plan(surveyed(small), small.load().inventory, batch="1,100%", max_failures="70%")

    assert prepared.batches == (("a",), ("b", "c"))
    assert prepared.policy.max_failures == 2
    assert prepared.settled == {}


@pytest.mark.parametrize(
    "deadlines", [Deadlines(soak=-1), Deadlines(soak=6, guard=8), Deadlines(health=0)]
)
def test_deadlines_that_cannot_be_met_are_refused(small: Small, deadlines: Deadlines) -> None:
    with pytest.raises(FleetError):
        plan(surveyed(small), small.load().inventory, deadlines=deadlines)


def test_an_unreachable_node_is_in_no_batch(small: Small) -> None:
    small.pool.ends[probe, "b"] = Failure(
        FailureKind.CONNECT, Step.CONNECT, "timed out", "try again"
    )

    prepared = plan(surveyed(small), small.load().inventory, batch="9")

    assert prepared.batches == (("a", "c"),)
    assert prepared.settled["b"].status is NodeStatus.UNREACHABLE


def test_a_node_whose_containers_a_restart_would_end_is_refused(small: Small) -> None:
    results = surveyed(small)
    risky = replace(results[0].plan, restart=replace(results[0].plan.restart, risk=RISK))
    results[0] = replace(results[0], plan=risky)

    prepared = plan(results, small.load().inventory, batch="9")

    assert prepared.batches == (("b", "c"),)
    assert prepared.settled["a"].failure == RISK
