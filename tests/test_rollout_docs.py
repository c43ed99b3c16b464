"""docs/rollout.md tells the deadlines that the code keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.node.order import Deadlines
from fleet.ssh.remote import SILENCE

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
