"""The locks of nodes, read and broken, and those that a finished rollout left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleet.actions.locks import (
    can_resume,
    held_by,
    idle_locks,
    locking_rollout,
    read_locks,
    refuse_running,
    unlock,
    unlock_dead,
)
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.node import Node
from fleet.core.model.pending import Pending
from fleet.errors import FleetError, HeldError
from fleet.journal import Journal
from fleet.node import settle
from fleet.node.change_status import ChangeState, ChangeStatus, SettleEnding
from fleet.node.probe_node import probe
from fleet.node.settle import read_change_status
from fleet.node.work_order import Access
from fleet.ssh import SshSettings
from tests.actions.conftest import Small
from tests.support.scripted_pool import TRIXIE, Watcher

FREE = ChangeStatus(ending=SettleEnding.RELEASED)
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")


def test_locks_come_in_the_order_of_the_nodes(small: Small) -> None:
    nodes = tuple(reversed(small.load().inventory.nodes))
    answers = {"a": FREE, "b": LOST, "c": FREE}
    small.pool.ends |= {(read_change_status, name): answer for name, answer in answers.items()}

    assert list(read_locks(nodes, small.session(Watcher())).items()) == [
        ("c", FREE), ("b", LOST), ("a", FREE),
    ]  # fmt: skip


def test_a_bad_id_is_refused_before_a_node_is_asked(small: Small) -> None:
    nodes, session = small.load().inventory.nodes, small.session(Watcher())
    small.pool.ends |= {(settle.unlock, node.name): FREE for node in nodes}

    with pytest.raises(FleetError, match="not a rollout ID"):
        unlock(nodes, "20260101; rm", session)
    assert small.pool.done == []
    assert set(unlock(nodes, "20260101-000000-abcd", session)) == {"a", "b", "c"}


FIRST, SECOND = "20260101-000000-00aa", "20260101-000000-00bb"
LOCKED = {
    "a": replace(FREE, lock=(FIRST, "eve@there")),
    "b": replace(FREE, pending=SECOND),
    "c": FREE,
}


@pytest.mark.parametrize(
    ("given", "found"), [("00aa", FIRST), ("last", SECOND), (SECOND, SECOND), ("2099", "2099")]
)
def test_a_lock_is_named_in_short(small: Small, given: str, found: str) -> None:
    lost = {"c": LOST} if given == found else {}
    small.pool.ends |= {(read_change_status, name): s for name, s in {**LOCKED, **lost}.items()}
    nodes = small.load().inventory.nodes

    assert locking_rollout(nodes, given, small.session(Watcher())) == found


def test_a_name_that_fits_no_lock_or_several_is_refused(small: Small) -> None:
    small.pool.ends |= {(read_change_status, name): status for name, status in LOCKED.items()}
    nodes, session = small.load().inventory.nodes, small.session(Watcher())

    with pytest.raises(FleetError, match="no rollout '2099' in the journal or in the locks"):
        locking_rollout(nodes, "2099", session)
    with pytest.raises(FleetError, match=f"ambiguous.*\n  {SECOND}\n  {FIRST}"):
        locking_rollout(nodes, "2026", session)


def locked_by(small: Small, rollout: str) -> None:
    """Let a node say that a rollout has its lock."""
    small.pool.ends[probe, "b"] = replace(TRIXIE, lock=f"{rollout}\neve@there\nrollout\nnow")


def test_the_lock_that_a_finished_rollout_left_is_released(small: Small) -> None:
    earlier, watcher = small.rollout(Watcher()).rollout, Watcher()
    locked_by(small, earlier)

    result = small.rollout(watcher)

    assert result.status == "finished"
    assert ("release_once", "b") in small.pool.done
    assert f"b: released the lock that rollout {earlier} has left" in watcher.shown


@pytest.mark.parametrize("left", ["unknown", "interrupted", "unconfirmed"])
def test_other_locks_stay(small: Small, left: str) -> None:
    earlier = small.rollout(Watcher()).rollout if left == "unconfirmed" else "20260101-000000-abcd"
    locked_by(small, earlier)
    if left == "unconfirmed":
        facts = small.pool.ends[probe, "b"]
        small.pool.ends[probe, "b"] = replace(facts, pending=Pending(earlier))
    elif left == "interrupted":
        about = {"kind": "rollout", "batches": [["b"]], "nodes": ["b"]}
        Journal(small.target.journal).begin(earlier, "t", about)

    small.rollout(Watcher())

    assert ("release_once", "b") not in small.pool.done


ID = "20260101-000000-abcd"
MINE = ChangeStatus(
    ending=SettleEnding.LOOKED, lock=(ID, "eve@there", "rollout", "now"), pending=ID,
    state=ChangeState.SWAPPED,
)  # fmt: skip


def test_a_rollout_whose_journal_is_held_is_refused(small: Small) -> None:
    path = small.target.journal
    journal = Journal(path)
    with (
        journal.held(f"resume {ID} of eve@here since now"),
        pytest.raises(HeldError, match=f"rollout {ID} is still running on this machine"),
    ):
        refuse_running(ID, path)
    with journal.held("resume 20260101-000000-ffff of eve@here since now"):
        refuse_running(ID, path)

    refuse_running(ID, path)
    refuse_running(ID, small.folder / "no.db")


def test_a_script_on_a_node_is_waited_for_and_then_refused(small: Small) -> None:
    nodes, watcher = small.load().inventory.nodes, Watcher()
    busy = replace(MINE, state=ChangeState.APPLYING)
    other = replace(busy, lock=("20260101-000000-ffff",), pending="")
    answers = {"a": busy, "b": other, "c": LOST}
    small.pool.ends |= {(read_change_status, name): answer for name, answer in answers.items()}

    with pytest.raises(HeldError, match=r"is running on a, .* --force unlocks all the same"):
        idle_locks(nodes, ID, small.session(watcher), patience=-1)
    small.pool.ends[read_change_status, "a"] = MINE
    found = idle_locks(nodes, ID, small.session(watcher))

    assert found == {"a": MINE, "b": other, "c": LOST}
    assert held_by(ID, found) == {"a": MINE}


def dead_rollout(small: Small) -> None:
    """Let the journal have a rollout that was killed, and the nodes its locks."""
    about = {"kind": "rollout", "batches": [["b"]], "nodes": ["b"]}
    Journal(small.target.journal).begin(ID, "t", about)
    for name, answer in {"a": MINE, "b": FREE, "c": LOST}.items():
        small.pool.ends[read_change_status, name] = answer
        small.pool.ends[settle.unlock, name] = FREE


def test_a_dead_rollout_is_unlocked_while_its_journal_is_held(small: Small) -> None:
    dead_rollout(small)
    nodes, path = small.load().inventory.nodes, small.target.journal
    holders: list[str | None] = []

    class Watching(Watcher):
        def unlock_keys(self, ssh: SshSettings, nodes: Sequence[Node]) -> SshSettings:
            holders.append(Journal(path, read_only=True).holder())
            return ssh

    session = replace(small.session(Watching()), access=Access())
    results = unlock_dead(nodes, ID, session, path)

    assert set(results) == {"a", "b", "c"}
    assert [(holder or "").split()[:3] for holder in set(holders)] == [["unlock", "of", ID]]
    assert Journal(path, read_only=True).holder() is None


def test_a_rollout_that_was_resumed_at_the_question_is_not_unlocked(small: Small) -> None:
    dead_rollout(small)
    nodes, path, session = small.load().inventory.nodes, small.target.journal, small.session
    with (
        Journal(path).held(f"resume {ID} of eve@here since now"),
        pytest.raises(HeldError, match=f"rollout {ID} is still running on this machine"),
    ):
        unlock_dead(nodes, ID, session(Watcher()), path)
    assert small.pool.done == []

    with Journal(path).held("rollout 20260101-000000-ffff of eve@here since now"):
        assert set(unlock_dead(nodes, ID, session(Watcher()), path)) == {"a", "b", "c"}


MOVED = {
    "locked since": ({"a": MINE, "b": FREE}, {"a": MINE, "b": MINE}, "b"),
    "answering since": ({"a": MINE, "b": LOST}, {"a": MINE, "b": MINE}, "b"),
    "settled since": ({"a": MINE, "b": MINE}, {"a": MINE, "b": replace(MINE, pending="")}, "b"),
    "released since": ({"a": MINE, "b": FREE}, {"a": FREE, "b": FREE}, "a"),
    "as before": ({"a": MINE, "b": FREE}, {"a": MINE, "b": FREE}, ""),
    "not answering any more": ({"a": MINE, "b": MINE}, {"a": MINE, "b": LOST}, ""),
    "another one's": (
        {"a": MINE, "b": FREE},
        {"a": MINE, "b": replace(MINE, lock=("x",), pending="x")},
        "",
    ),
}


@pytest.mark.parametrize(("shown", "now", "moved"), MOVED.values(), ids=MOVED)
def test_locks_that_are_not_as_they_were_shown_are_not_broken(
    small: Small,
    shown: dict[str, ChangeStatus | Failure],
    now: dict[str, ChangeStatus | Failure],
    moved: str,
) -> None:
    dead_rollout(small)
    small.pool.ends |= {(read_change_status, name): answer for name, answer in now.items()}
    nodes, path = small.load().inventory.nodes, small.target.journal

    if moved:
        with pytest.raises(HeldError, match=f"has moved on {moved} since the question"):
            unlock_dead(nodes, ID, small.session(Watcher()), path, shown)
    else:
        unlock_dead(nodes, ID, small.session(Watcher()), path, shown)

    assert (("unlock", "a") in small.pool.done) is not bool(moved)


def test_a_rollout_can_be_resumed_until_it_has_finished(small: Small) -> None:
    done = small.rollout(Watcher()).rollout
    about = {"kind": "rollout", "batches": [["b"]], "nodes": ["b"]}
    Journal(small.target.journal).begin(ID, "t", about)

    assert can_resume(ID, small.target.journal)
    assert not can_resume(done, small.target.journal)
    assert not can_resume("20260101-000000-ffff", small.target.journal)
    assert not can_resume(ID, small.folder / "no.db")
