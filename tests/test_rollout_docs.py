"""docs/rollout.md has the deadlines of the code, docs/faults.md the names of the faults."""

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


def test_the_docs_name_the_faults_of_the_suite() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| \d+ \|", FAULTS, re.MULTILINE)

    assert rows == [fault.name for fault in CATALOGUE]
