"""Odd values of one node, where the results of all nodes are folded: that node's failure alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.cli.mirroring import foldable
from fleet.cli.reporting import report_text
from fleet.core.outcome import FailureKind
from fleet.core.record import Entry
from fleet.engine.mirrors import SiteTested
from fleet.journal import RolloutRecord
from tests.core.test_mirror_trial import trial
from tests.core.test_report import ABOUT, at, entries

ODD: dict[str, dict[str, Any]] = {
    "a status that is none": {"status": "sideways"},
    "a time that is a text": {"status": "converged", "seconds": "long"},
    "a pull without its parts": {"status": "converged", "verified": [{"image": 5}]},
    "registries that are a number": {"status": "converged", "unproven": 5},
}


@pytest.mark.parametrize("form", ["html", "junit", "json"])
@pytest.mark.parametrize("payload", ODD.values(), ids=ODD)
def test_an_odd_entry_of_one_node_does_not_end_the_report(
    payload: dict[str, Any], form: str
) -> None:
    record = RolloutRecord("r1", at(0), ABOUT)

    text = report_text(record, [*entries(), Entry(at(14), "moved", "c", payload)], form)

    assert "rolled_back" in text or "<failure" in text


def test_odd_results_of_a_node_are_its_failure_and_are_not_ranked() -> None:
    good = SiteTested("a", "", (trial("m"),))
    odd = replace(good, results=(replace(trial("m"), seen=None),))  # type: ignore[arg-type]

    found = foldable(odd)

    assert foldable(good) == good
    assert found.results == ()
    assert found.failure is not None
    assert found.failure.kind is FailureKind.BUG
