"""The journal of the release before: it is read, listed, reported and replayed."""

from __future__ import annotations

import json
import shutil

import pytest

from fleet.core.failure import FailureKind
from fleet.core.model.outcome import NodeStatus
from fleet.journal.store import Journal
from tests.samples import FAILED, INTERRUPTED, RELEASE_BEFORE
from tests.support.fleet import Fleet


@pytest.fixture
def sample(offline: Fleet) -> Fleet:
    folder = offline.folder / ".fleet"
    folder.mkdir(mode=0o700)
    shutil.copy(RELEASE_BEFORE / "journal.db", folder / "journal.db")
    (folder / "journal.db").chmod(0o600)
    return offline


def test_a_failure_without_a_remedy_is_replayed(sample: Fleet) -> None:
    journal = Journal(sample.folder / ".fleet" / "journal.db")

    history = journal.replayed(journal.rollout(FAILED))

    outcome = history.outcomes["trixie1"]
    assert outcome.status is NodeStatus.ROLLED_BACK
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.VERIFY
    assert outcome.failure.message.endswith(
        "`fleet mirrors test` says which endpoint fails, and how"
    )
    assert outcome.failure.remedy == ""
    assert "nothing.invalid" in outcome.failure.evidence


def test_an_interrupted_rollout_is_replayed(sample: Fleet) -> None:
    journal = Journal(sample.folder / ".fleet" / "journal.db")

    history = journal.replayed(journal.rollout(INTERRUPTED))

    assert history.status == "interrupted"
    assert {node.shown for node in history.state.nodes.values()} == {NodeStatus.RUNNING}


def test_it_is_listed_and_reported(sample: Fleet) -> None:
    listed = sample("history", "--json")
    shown = sample("history", FAILED)
    html = sample("report", FAILED, "-o", "report.html")
    junit = sample("report", FAILED, "--format", "junit")
    data = sample("report", FAILED, "--format", "json")

    assert (listed.code, shown.code, html.code, junit.code) == (0, 0, 0, 0), html.text
    assert len(listed.json["rollouts"]) == 5
    assert "`fleet mirrors test` says which endpoint fails" in shown.stdout
    page = (sample.folder / "report.html").read_text()
    assert "says which endpoint fails" in page
    assert "Remedy:" not in page
    assert "remedy:" not in junit.stdout
    assert json.loads(data.stdout)["nodes"]["trixie1"]["failure"]["remedy"] == ""
