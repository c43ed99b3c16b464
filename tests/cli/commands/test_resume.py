"""The commands `fleet resume` and `fleet undo` where there is nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.journal import Journal
from tests.support.fleet import Fleet
from tests.support.schemas import fits

ENDED = "20260101-000000-abcd"
NOTHING = {
    "no rollout to resume": (("resume",), "nothing to resume: no rollout was interrupted"),
    "a finished rollout": (("resume", ENDED), f"nothing to resume: rollout {ENDED} has finished"),
    "no rollout to undo": (("undo",), "nothing to undo: no rollout in the journal has a change"),
    "a rollout without a change": (
        ("undo", ENDED), f"nothing to undo: rollout {ENDED} has no change in force",
    ),
    "no plan of an undo": (("undo", "--dry-run"), "nothing to undo: no rollout"),
}  # fmt: skip


@pytest.fixture
def journaled(offline: Fleet) -> Fleet:
    """Return fleet in a folder whose journal has one rollout, which has changed nothing."""
    offline.write("inventory.yaml", "all: {hosts: {a: {}}}\n")
    journal = Journal(offline.folder / ".fleet" / "journal.db")
    about = {"kind": "rollout", "batches": [], "nodes": [], "flags": {}, "operator": "me@here"}
    journal.begin(ENDED, "2026-01-01T00:00:00+00:00", {**about, "files": {}})
    journal.append(
        ENDED, "2026-01-01T00:00:01+00:00", "ended", None, {"status": "finished", "reason": ""}
    )
    return Fleet(offline.folder, "/dev/null")


@pytest.mark.parametrize(("words", "reason"), NOTHING.values(), ids=NOTHING)
def test_nothing_to_do_is_success(journaled: Fleet, words: tuple[str, ...], reason: str) -> None:
    shown = journaled(*words)
    ran = journaled(*words, "--json")

    assert (shown.code, shown.stdout) == (0, "")
    assert shown.stderr.startswith(reason)
    assert ran.code == 0
    fits(words[0], ran.json)
    assert ran.json["reason"].startswith(reason)
    assert (ran.json["rollout"], ran.json["nodes"], ran.json["next"]) == ("", {}, [])


@pytest.mark.parametrize(
    "words", [("resume", "2025"), ("undo", "2025"), ("undo", "--journal", "x")]
)
def test_a_wrong_name_is_an_error(journaled: Fleet, words: tuple[str, ...]) -> None:
    assert journaled(*words).code == 2
    assert not Path(journaled.folder, "x").exists()
