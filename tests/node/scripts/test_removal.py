"""lib/removal.sh: fleet's own files are deleted, the lock last."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def full(folder: Path) -> None:
    """Fill a folder as fleet fills its own."""
    (folder / "generations" / "g1").mkdir(parents=True)
    for name in ("state.json", "audit.log", "proof-1"):
        (folder / name).write_text("x\n")


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("renamed", [False, True])
def test_a_state_behind_a_link_is_deleted_with_it(
    shell: Shell, *, shared: bool, renamed: bool
) -> None:
    target = shell.folder / "data"
    full(target)
    if shared:
        (target / "mine").write_text("x\n")
    state = shell.state
    state.rmdir()
    link = state.with_name(f"{state.name}.removed") if renamed else state
    link.symlink_to("data")
    shell.stand_in("systemctl", "exit 0")
    shell.stand_in("sync", "exit 0")

    shell.output("removal", "removal_delete")

    assert not link.is_symlink()
    assert [path.name for path in shell.folder.glob("data/*")] == (["mine"] if shared else [])
    assert target.exists() is shared


@pytest.mark.parametrize("shared", [False, True])
def test_generations_behind_a_link_are_deleted_with_it(shell: Shell, *, shared: bool) -> None:
    target = shell.folder / "data"
    for name in ("20260101-000000-abcd", "20260102-000000-abcd.pruned", ".merged"):
        (target / name / "files").mkdir(parents=True)
    if shared:
        (target / "mine").write_text("x\n")
    state = shell.state
    (state / "generations").symlink_to(target)
    shell.stand_in("systemctl", "exit 0")
    shell.stand_in("sync", "exit 0")

    shell.output("removal", "removal_delete")

    assert not state.exists()
    assert [path.name for path in shell.folder.glob("data/*")] == (["mine"] if shared else [])
    assert target.exists() is shared


def test_a_link_that_leads_nowhere_is_deleted(shell: Shell) -> None:
    link = shell.state.with_name(f"{shell.state.name}.removed")
    link.symlink_to("nowhere")
    shell.stand_in("systemctl", "exit 0")
    shell.stand_in("sync", "exit 0")

    shell.output("removal", "removal_delete")

    assert not link.is_symlink()


def test_a_mount_point_stays_without_what_is_fleets(shell: Shell) -> None:
    full(shell.state)
    (shell.state / "lost+found").mkdir()
    shell.stand_in("systemctl", "exit 0")
    shell.stand_in("sync", "exit 0")
    shell.stand_in("mountpoint", "exit 0")
    shell.stand_in("mv", "echo busy >&2; exit 1")

    shell.output("removal", "removal_delete")

    assert [path.name for path in shell.state.iterdir()] == ["lost+found"]
