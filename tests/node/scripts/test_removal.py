"""lib/removal.sh: fleet's own files are deleted, the lock last."""

from __future__ import annotations

from tests.node.scripts.shell import Shell


def test_state_lock_and_guard_are_deleted(shell: Shell) -> None:
    (shell.state / "generations").mkdir()
    (shell.run_folder / "lock").write_text("r1\n")
    unit = shell.units / "fleet-guard.service"
    unit.write_text("[Unit]\n")
    shell.stand_in("systemctl", "exit 0")
    shell.stand_in("sync", "exit 0")
    state, run = shell.state, shell.run_folder

    shell.output("removal", "removal_delete")

    assert not unit.exists()
    assert not [path for path in (state, run) if path.exists()]
    assert not state.with_name(f"{state.name}.removed").exists()
    assert "systemctl daemon-reload" in shell.calls


def test_what_a_killed_removal_has_left_is_deleted(shell: Shell) -> None:
    left = shell.state.with_name(f"{shell.state.name}.removed")
    left.mkdir()
    (left / "audit.log").write_text("x\n")
    shell.stand_in("systemctl", "exit 0")
    shell.stand_in("sync", "exit 0")

    shell.output("removal", "removal_delete")

    assert not left.exists()
    assert "systemctl daemon-reload" not in shell.calls
