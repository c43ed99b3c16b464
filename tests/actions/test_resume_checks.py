"""A rollout that was broken off is not resumed over nodes that a later one has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.actions.resume_checks import refuse_superseded
from fleet.errors import FleetError
from fleet.journal import Journal

LATER = {
    "it changed a node that was in flight": (("a", "converged"), "a"),
    "it changed a node that had not begun": (("b", "converged"), "b"),
    "it rolled the node back": (("b", "rolled_back"), "b"),
    "it left the node degraded": (("a", "degraded"), "a"),
    "it was broken off itself": (("b", "running"), "b"),
    "the node was locked": (("a", "failed"), None),
    "the node was as it should be": (("b", "unchanged"), None),
    "it changed a node that was through": (("c", "converged"), None),
    "it never began": (("b", "staged"), None),
}


def write(journal: Journal, name: str, *moves: tuple[str, str], kind: str = "rollback") -> None:
    journal.begin(name, "t", {"kind": kind, "batches": [["a", "b", "c"]]})
    for node, status in moves:
        journal.append(name, "t", "moved", node, {"status": status})


@pytest.mark.parametrize(("move", "named"), LATER.values(), ids=LATER)
def test_a_later_rollout_decides(tmp_path: Path, move: tuple[str, str], named: str | None) -> None:
    journal = Journal(tmp_path / "journal.db")
    write(journal, "earlier", ("b", "converged"))
    write(journal, "broken", ("c", "converged"), ("a", "running"))
    write(journal, "later", move)
    record = journal.rollout("broken")

    if named is None:
        refuse_superseded(journal, record, journal.replayed(record))
        return
    with pytest.raises(
        FleetError, match=f"rollout later has changed {named} since; roll out again"
    ):
        refuse_superseded(journal, record, journal.replayed(record))


@pytest.mark.parametrize(
    ("broken", "later", "refused"),
    [
        ("rollback", "rollout", True),
        ("rollout", "rollback", True),
        ("rollback", "rollback", True),
        ("rollout", "rollout", False),
    ],
)
def test_only_two_rollouts_go_together(
    tmp_path: Path, broken: str, later: str, *, refused: bool
) -> None:
    journal = Journal(tmp_path / "journal.db")
    write(journal, "broken", ("a", "running"), kind=broken)
    write(journal, "later", ("a", "converged"), kind=later)
    record = journal.rollout("broken")

    if not refused:
        refuse_superseded(journal, record, journal.replayed(record))
        return
    with pytest.raises(FleetError, match="roll out again"):
        refuse_superseded(journal, record, journal.replayed(record))
