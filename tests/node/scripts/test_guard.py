"""lib/guard.sh: the unit and the timer that revert a change nobody confirms."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {
    **{"ID": "r1", "MODE": "activate", "ROLLOUT": "r1", "OPERATOR": "me", "PURPOSE": "rollout"},
    **{"UNIT": "k3s", "WHY": "failed", "path": "", **HOOKS},
}


@pytest.mark.parametrize(("unit", "name"), [("k3s", "k3s.service"), ("x.service", "x.service")])
def test_the_unit_runs_the_guard_before_the_daemon_starts(
    shell: Shell, unit: str, name: str
) -> None:
    lines = shell.output("guard", "guard_unit_text", **{**GIVEN, "UNIT": unit}).splitlines()

    assert f"Before={name}" in lines
    assert f"ConditionPathExists={shell.state}/pending/guard.sh" in lines
    assert f"ExecStart=/bin/sh {shell.state}/pending/guard.sh boot" in lines


def test_a_guard_is_armed_for_the_next_boot_and_disarmed(shell: Shell) -> None:
    shell.stand_in("systemctl", "")
    _ = shell.run_folder, shell.state, shell.units

    shell.output("guard", "lock_acquire; guard_arm_boot", **GIVEN)
    wanted = shell.units / "multi-user.target.wants/fleet-guard.service"
    assert wanted.readlink() == shell.units / "fleet-guard.service"
    assert (shell.run_folder / "armed-r1").exists()

    shell.output("guard", "guard_disarm", **GIVEN)
    assert not wanted.is_symlink()
    assert not (shell.units / "fleet-guard.service").exists()
    assert list(shell.run_folder.iterdir()) == []
    assert shell.calls == ["systemctl stop --no-block fleet-guard-r1*.timer"]


def test_a_timer_is_armed_for_its_time(shell: Shell) -> None:
    shell.stand_in("systemd-run", "")

    shell.output("guard", "guard_arm_timer 90", **GIVEN)

    (call,) = shell.calls
    assert "--unit fleet-guard-r1 --on-active=90" in call
    assert f"{shell.state}/pending/guard.sh timer r1" in call


@pytest.mark.parametrize(("why", "timers"), [("asked", 1), ("timer", 0), ("boot", 0)])
def test_a_revert_that_failed_is_tried_again_unless_a_timer_runs(
    shell: Shell, why: str, timers: int
) -> None:
    shell.stand_in("systemd-run", "")

    shell.output("guard", "guard_arm_again", **{**GIVEN, "WHY": why})

    assert len(shell.calls) == timers


def test_a_unit_that_cannot_be_removed_is_noticed(shell: Shell) -> None:
    assert shell.run("guard", "guard_is_removable", **GIVEN).code == 0

    (shell.units / "fleet-guard.service").mkdir()

    assert shell.run("guard", "guard_is_removable", **GIVEN).code != 0
