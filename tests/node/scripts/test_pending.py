"""lib/pending.sh: the phase, the notes and the end of a pending change."""

from __future__ import annotations

from pathlib import Path

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {"ID": "r1", "MODE": "settle", "OPERATOR": "me", **HOOKS}


def pending(shell: Shell) -> Path:
    """Return the folder of a change that is pending."""
    folder = shell.state / "pending"
    folder.mkdir()
    (folder / "id").write_text("r1\n")
    return folder


def test_a_phase_replaces_the_one_before(shell: Shell) -> None:
    folder = pending(shell)

    shell.output("pending", "pending_set_phase armed; pending_set_phase 'swapped 12 0'", **GIVEN)

    assert (folder / "phase").read_text() == "swapped 12 0\n"
    assert sorted(path.name for path in folder.iterdir()) == ["id", "phase"]


def test_the_first_note_stays(shell: Shell) -> None:
    folder = pending(shell)

    shell.output("pending", "pending_note why timer; pending_note why boot", **GIVEN)

    assert (folder / "why").read_text() == "timer\n"


def test_a_long_note_is_cut(shell: Shell) -> None:
    folder = pending(shell)

    shell.output("pending", 'pending_note failed "$text"', text="x" * 400, **GIVEN)

    assert (folder / "failed").read_text() == "x" * 300 + "\n"


def test_a_settled_change_takes_the_place_of_the_last_one(shell: Shell) -> None:
    pending(shell)
    (shell.state / "last").mkdir()
    (shell.state / "last/id").write_text("r0\n")

    shell.output("pending", "pending_settle restored timer", **GIVEN)

    last = {path.name: path.read_text() for path in (shell.state / "last").iterdir()}
    assert last == {"id": "r1\n", "phase": "restored\n", "why": "timer\n"}
    assert not (shell.state / "pending").exists()


def test_an_unconfirmed_change_is_named(shell: Shell) -> None:
    pending(shell)

    done = shell.run("pending", "pending_fail conflict check", **GIVEN)

    assert done.failure == ("conflict", "check", "change r1 is unconfirmed on this node")
    assert "fleet unlock r1" in done.reply.value("remedy")
