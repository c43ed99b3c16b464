"""lib/lock.sh: the lock of a rollout, and the mutex of a script."""

from __future__ import annotations

import fcntl

import pytest

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {
    **{"ID": "r1", "MODE": "stage", "ROLLOUT": "r1", "OPERATOR": "me@here", "PURPOSE": "rollout"},
    **HOOKS,
}
OTHER = "r0\nyou@there\nrollback\n2026-01-01T00:00:00Z\n0.5\n"


def test_a_lock_is_acquired_by_one_rollout_and_again_by_the_same(shell: Shell) -> None:
    code = "lock_is_ours && echo early; lock_acquire; lock_is_ours && lock_acquire && echo ours"

    assert shell.output("lock", code, **GIVEN) == "ours\n"
    who, by, what, since, uptime = (shell.run_folder / "lock").read_text().splitlines()
    assert (who, by, what) == ("r1", "me@here", "rollout")
    assert since.endswith("Z")
    assert float(uptime) > 0


def test_the_lock_of_another_rollout_is_a_failure(shell: Shell) -> None:
    (shell.run_folder / "lock").write_text(OTHER)

    done = shell.run("lock", "lock_acquire; echo further", **GIVEN)

    assert done.failure[:2] == ("locked", "lock")
    assert "rollback r0 of you@there since 2026-01-01T00:00:00Z" in done.failure[2]
    assert "fleet unlock r0" in done.reply.value("remedy")
    assert (shell.run_folder / "lock").read_text() == OTHER


@pytest.mark.parametrize("make", ["mkfifo $LOCK", "mkdir $LOCK", ": >$LOCK"])
def test_a_lock_that_names_no_rollout_is_a_failure_with_its_path(shell: Shell, make: str) -> None:
    """No unlock could name it."""
    done = shell.run("lock", f"mkdir -p $RUN; {make}; lock_acquire", **GIVEN)

    assert done.failure == ("locked", "lock", f"{shell.run_folder}/lock names no rollout")
    assert "remove it by hand" in done.reply.value("remedy")


def test_a_lock_is_released_by_its_rollout_alone(shell: Shell) -> None:
    shell.output("lock", "lock_acquire; lock_release", **GIVEN)
    assert not (shell.run_folder / "lock").exists()

    (shell.run_folder / "lock").write_text(OTHER)
    shell.output("lock", "lock_release", **GIVEN)
    assert (shell.run_folder / "lock").read_text() == OTHER


def test_a_lock_that_cannot_be_written_is_a_failure_with_its_cause(shell: Shell) -> None:
    shell.stand_in("mv", "echo 'mv: cannot move: Read-only file system' >&2; exit 1")

    done = shell.run("lock", "lock_acquire", **GIVEN)

    assert done.failure[:2] == ("storage", "lock")
    assert "EROFS" in done.failure[2]


def test_a_lock_is_described_even_if_it_was_cut_short(shell: Shell) -> None:
    (shell.run_folder / "lock").write_text("r0\n")

    found = shell.output("lock", "lock_describe", **GIVEN)

    assert found == "held by rollout r0 of ? since ? (0 s ago)"


def test_one_script_at_a_time_has_the_mutex(shell: Shell) -> None:
    mutex = shell.run_folder / "mutex"
    code = "lock_take_mutex 0 || lock_fail_busy; echo taken"

    assert shell.output("lock", code, **GIVEN) == "taken\n"
    with mutex.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = shell.run("lock", code, **GIVEN)

    assert done.failure[:2] == ("locked", "lock")
    assert "another fleet process is working" in done.failure[2]


def test_a_node_without_flock_is_not_changed(shell: Shell) -> None:
    code = "command() { return 1; }\nlock_take_mutex 0; echo further"

    done = shell.run("lock", code, **GIVEN)

    assert done.failure == ("unsupported", "lock", "flock is missing on this node")


def test_a_mutex_that_cannot_be_made_is_a_failure_with_its_cause(shell: Shell) -> None:
    (shell.run_folder / "mutex").mkdir()

    done = shell.run("lock", "lock_take_mutex 0; echo further", **GIVEN)

    assert done.failure[:2] == ("storage", "lock")
    assert "Is a directory" in done.reply.value("evidence")
