"""New jobs: rollouts, rollbacks and removals begin in one way."""

from __future__ import annotations

import pytest

from fleet.actions.new_job import JobRequest, plan_job, run_job
from fleet.actions.options import RolloutOptions
from fleet.actions.session import Session
from fleet.actions.survey import survey
from fleet.engine.survey import NodeSurvey
from fleet.errors import FleetError
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher


def request(small: Small, **options: str) -> JobRequest:
    files = small.load()

    def plans(session: Session) -> list[NodeSurvey]:
        return survey(files, files.inventory.nodes, session)

    return JobRequest(
        kind="rollout",
        options=RolloutOptions(**options),
        inventory=files.inventory,
        nodes=files.inventory.nodes,
        survey=plans,
        config=files.mirrors,
    )


def test_a_job_is_planned_without_a_journal_entry(small: Small) -> None:
    plans = plan_job(request(small), small.session(Watcher()))

    assert [plan.node.name for plan in plans] == ["a", "b", "c"]
    assert not small.target.journal.exists()


def test_a_job_is_journaled_with_its_kind(small: Small) -> None:
    result = run_job(request(small), small.session(Watcher()), small.target)

    (record,) = small.target.open(Watcher()).rollouts()
    assert (record.id, record.kind) == (result.rollout, "rollout")


def test_options_are_checked_before_any_node_is_asked(small: Small) -> None:
    with pytest.raises(FleetError, match="a batch needs at least 1 node"):
        run_job(request(small, batch="0"), small.session(Watcher()), small.target)

    assert small.pool.done == []
