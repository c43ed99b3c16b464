"""docs/rollout.md tells the deadlines that the code keeps, docs/faults.md what was tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleet.node.work_order import Deadlines
from fleet.ssh.remote import SILENCE_SECONDS
from tests.faults.suite import CATALOGUE

FAULTS = (Path(__file__).parents[1] / "docs" / "faults.md").read_text()
TEXT = (Path(__file__).parents[1] / "docs" / "rollout.md").read_text()
LIMITS = Deadlines()
PULL = LIMITS.node(1) - LIMITS.node(0)
ROWS = (
    f"| staging, on the node itself | {LIMITS.stage} |",
    f"| activation with its way back, on the node itself | {LIMITS.activate} |",
    f"| a confirmation or a way back, on the node itself | {LIMITS.settle} |",
    f"| a node as a whole | {LIMITS.node(0)} and {PULL} for each verification pull;",
    f"| a script that says nothing | {SILENCE_SECONDS};",
)


@pytest.mark.parametrize("row", ROWS)
def test_the_deadlines_of_the_docs_are_those_of_the_code(row: str) -> None:
    assert row in TEXT


ROW = re.compile(r"\| ([^|]+?) \|" + r" (\d+) \|" * 5 + r"(?: (\d+) \|)?")
TABLE = {name: [int(each or 0) for each in counts] for name, *counts in ROW.findall(FAULTS)}
TRIES = {fault.name: fault.tries for fault in CATALOGUE}


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_of_the_table_was_tried_in_full_and_nothing_was_lost(name: str) -> None:
    tries, moved, stayed, degraded, lost, false = TABLE[name]

    assert (tries, moved + stayed) == (TRIES[name], TRIES[name])
    assert (degraded, lost, false) == (0, 0, 0)


def test_the_table_is_that_of_the_suite() -> None:
    assert list(TABLE) == list(TRIES)
