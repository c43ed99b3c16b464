"""The record of the plan that was shown last: for an hour, for its owner, of the same plan."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.node import Node
from fleet.core.plan.fingerprint import plans_fingerprint
from fleet.core.plan.node_plan import NodePlan
from fleet.journal.shown_plan import ShownPlan


def plan(content: bytes = b"x", name: str = "w1") -> NodePlan:
    change = Change("/etc/x", None, ManagedFile(content))
    return NodePlan(node=Node(name=name, host=name), changes=(change,))


def test_a_plan_that_was_just_shown_is_known(tmp_path: Path) -> None:
    shown = ShownPlan(tmp_path / ".fleet" / "journal.db")
    shown.record(lambda salt: plans_fingerprint([plan()], salt))

    seconds = shown.seconds_since(lambda salt: plans_fingerprint([plan()], salt))

    assert seconds is not None
    assert 0 <= seconds < 60
    mode = (tmp_path / ".fleet" / "shown-plan.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    "plans", [[], [plan(b"y")], [plan(name="w2")], [plan(), plan(name="w2")]],
    ids=["none", "content", "node", "more nodes"],
)  # fmt: skip
def test_another_plan_is_not_known(tmp_path: Path, plans: list[NodePlan]) -> None:
    shown = ShownPlan(tmp_path / "journal.db")
    shown.record(lambda salt: plans_fingerprint([plan()], salt))

    assert shown.seconds_since(lambda salt: plans_fingerprint(plans, salt)) is None


def test_an_old_or_damaged_record_counts_for_nothing(tmp_path: Path) -> None:
    shown, file = ShownPlan(tmp_path / "journal.db"), tmp_path / "shown-plan.json"
    shown.record(lambda salt: salt)
    about = json.loads(file.read_text())

    file.write_text(json.dumps({**about, "at": about["at"] - 4000}))
    assert shown.seconds_since(lambda salt: salt) is None
    for text in ("", "[]", "{}", '{"at": "x"}'):
        file.write_text(text)
        assert shown.seconds_since(lambda salt: salt) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shown = ShownPlan(tmp_path / "file" / "journal.db")

    shown.record(lambda salt: salt)

    assert shown.seconds_since(lambda salt: salt) is None
