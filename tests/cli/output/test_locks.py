"""The locks of nodes, and what became of them."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from fleet.cli.output.locks import ask_to_unlock, show_locks, show_unlocked
from fleet.cli.prompts import DeclinedError
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
        ["Next:"],
        ["if", "r1", "is", "dead,", "finish", "it:"],
        ["fleet", "resume", "r1"],
        ["or", "unlock", "its", "nodes:"],
        ["fleet", "unlock", "r1"],
        ["if", "r0", "is", "dead,", "finish", "it:"],
        ["fleet", "resume", "r0"],
        ["or", "unlock", "its", "nodes:"],
        ["fleet", "unlock", "r0"],
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
    "released": (ChangeStatus(ending=SettleEnding.RELEASED, lock=("r1",)), "released"),
    "undone": (
        ChangeStatus(ending=SettleEnding.RELEASED, lock=("r1",), undone=True),
        "released; unconfirmed change undone",
    ),
    "free": (ChangeStatus(ending=SettleEnding.RELEASED), "was not locked"),
    "of another": (
        ChangeStatus(ending=SettleEnding.NOT_OURS, lock_holder="r7"),
        "not unlocked: r7",
    ),
    "not released": (
        ChangeStatus(
            ending=SettleEnding.DEGRADED,
            failure=Failure(FailureKind.REVERT, Step.REVERT, "no disk", "try again"),
        ),
        "no disk; try again",
    ),
    "lost": (LOST, "timed out; try again"),
}


CALM = {"uncordoned": False, "cordon_failure": None}


@pytest.mark.parametrize(("result", "text"), UNLOCKED.values(), ids=UNLOCKED)
def test_an_unlock_says_what_became_of_the_lock(
    capsys: pytest.CaptureFixture[str], result: ChangeStatus | Failure, text: str
) -> None:
    show_unlocked({"w1": result}, {}, TEXT, rollout="r1", resumable=True)
    show_unlocked({"w1": result}, {}, JSON, rollout="r1", resumable=False)

    head, row, *rest = capsys.readouterr().out.split("\n", 5)
    assert (head.split(), row) == (["NODE", "UNLOCK"], f"w1   {text}")
    assert rest[:3] == ["Next:", "  finish the rollout:", "    fleet resume r1"]
    released = text.startswith(("released", "was"))
    ended = {"ended": "released" if released else text, "undone": "undone" in text}
    assert json.loads(rest[3]) == {
        "rollout": "r1", "nodes": {"w1": {**ended, **CALM}}, "next": ["fleet probe"],
    }  # fmt: skip


def test_an_unlock_asks_with_the_holder_in_sight(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {f"w{number}": replace(LOCKED, lock_holder="held by r1 of eve", pending="r1")
            for number in (1, 2)}  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))

    ask_to_unlock({}, "r1")
    with pytest.raises(
        DeclinedError, match=r"Nothing was unlocked\.\nNext:\n.*\n    fleet resume r1"
    ):
        ask_to_unlock(held, "r1")

    assert capsys.readouterr().err.startswith(
        "w[1-2]: held by r1 of eve\n2 unconfirmed changes will be undone.\nUnlock 2 nodes?"
    )


def test_an_unlock_says_what_became_of_cordons(capsys: pytest.CaptureFixture[str]) -> None:
    released = ChangeStatus(ending=SettleEnding.RELEASED, lock=("r1",))
    failure = Failure(FailureKind.CLUSTER, Step.CLUSTER, "the API is away", "look at it")
    cordons = {"w1": None, "w2": failure}
    results = dict.fromkeys(("w1", "w2", "w3"), released)

    show_unlocked(results, cordons, TEXT, rollout="r1", resumable=True)
    shown = capsys.readouterr().out
    show_unlocked(results, cordons, JSON, rollout="r1", resumable=True)
    nodes = json.loads(capsys.readouterr().out)["nodes"]

    assert "w1   released; uncordoned\n" in shown
    assert "w2   released; may be cordoned: the API is away; look at it\n" in shown
    assert "w3   released\n" in shown
    assert [node["uncordoned"] for node in nodes.values()] == [True, False, False]
    assert nodes["w2"]["cordon_failure"]["message"] == "the API is away"
