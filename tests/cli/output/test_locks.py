"""The locks of nodes, and what became of them."""

from __future__ import annotations

import json

import pytest

from fleet.cli.output.locks import show_locks, show_unlocked
from fleet.core.failure import Failure, FailureKind, Step
from fleet.node.change_status import ChangeStatus, SettleEnding
from tests.support.settings import JSON, TEXT, WIDE

LOCKED = ChangeStatus(
    ending=SettleEnding.LOOKED, lock=("r1", "eve@there", "rollout", "2026-01-01 10:00")
)
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")
LOCKS = {
    "w1": LOCKED,
    "w2": ChangeStatus(ending=SettleEnding.LOOKED),
    "w3": ChangeStatus(ending=SettleEnding.LOOKED, pending="r0"),
    "w4": ChangeStatus(ending=SettleEnding.LOOKED, lock=("r1",), lock_holder="a note"),
}


def test_a_lock_is_a_row_with_its_holder(capsys: pytest.CaptureFixture[str]) -> None:
    show_locks({**LOCKS, "w9": LOST}, WIDE)

    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        ["w1", "r1", "rollout", "eve@there", "2026-01-01", "10:00"],
        ["w2", "-", "-", "-", "-"],
        ["w3", "r0", "-", "-", "-"],
        ["w4", "r1", "-", "-", "-", "a", "note"],
        ["w9:", "timed", "out"],
        ["remedy:", "try", "again"],
    ]


def test_a_lock_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_locks(LOCKS, JSON)

    free = dict.fromkeys(("rollout", "by", "purpose", "since", "description", "failure"))
    assert json.loads(capsys.readouterr().out)["nodes"] == {
        "w1": {
            **free,
            "rollout": "r1",
            "by": "eve@there",
            "purpose": "rollout",
            "since": "2026-01-01 10:00",
        },
        "w2": free,
        "w3": {**free, "rollout": "r0"},
        "w4": {**free, "rollout": "r1", "description": "a note"},
    }


UNLOCKED = {
    "released": (ChangeStatus(ending=SettleEnding.RELEASED), "released"),
    "of another": (ChangeStatus(ending=SettleEnding.NOT_OURS, lock_holder="r7"), "left alone: r7"),
    "not released": (
        ChangeStatus(
            ending=SettleEnding.DEGRADED,
            failure=Failure(FailureKind.REVERT, Step.REVERT, "no disk", "try again"),
        ),
        "no disk; try again",
    ),
    "lost": (LOST, "timed out; try again"),
}


@pytest.mark.parametrize(("result", "text"), UNLOCKED.values(), ids=UNLOCKED)
def test_an_unlock_says_what_became_of_the_lock(
    capsys: pytest.CaptureFixture[str], result: ChangeStatus | Failure, text: str
) -> None:
    show_unlocked({"w1": result}, "r1", TEXT)
    show_unlocked({"w1": result}, "r1", JSON)

    head, row, *document = capsys.readouterr().out.split("\n", 2)
    assert (head.split(), row) == (["NODE", "UNLOCK"], f"w1   {text}")
    assert json.loads(document[0]) == {"rollout": "r1", "nodes": {"w1": {"ended": text}}}
