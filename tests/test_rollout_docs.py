"""docs/rollout.md tells the deadlines that the code keeps, docs/faults.md what was tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.node.order import Deadlines
from fleet.ssh.remote import SILENCE
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
    f"| a script that says nothing | {SILENCE};",
)


@pytest.mark.parametrize("row", ROWS)
def test_the_deadlines_of_the_docs_are_those_of_the_code(row: str) -> None:
    assert row in TEXT


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_every_fault_stands_in_the_table_with_its_tries_and_nothing_lost(fault: object) -> None:
    row = next(line for line in FAULTS.splitlines() if line.startswith(f"| {fault.name} |"))
    tries, moved, stayed, degraded, lost = (int(each) for each in row.split("|")[2:7])

    assert (tries, moved + stayed) == (fault.tries, fault.tries)
    assert (degraded, lost) == (0, 0)
