"""lib/daemon.sh: the daemon's unit, by a systemctl that is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.node.scripts.shell import Shell

GIVEN = {
    "ID": "r1",
    "UNIT": "containerd",
    "RESTART": "1",
    "RESTART_SECONDS": "5",
    "HEALTH_SECONDS": "2",
    "path": "",
}
SHOW = "printf 'ActiveState=active\\nSubState=running\\nMainPID=12\\nNRestarts=3\\n'"


def test_the_unit_is_read(shell: Shell) -> None:
    shell.stand_in("systemctl", SHOW)
    code = 'daemon_read_unit; printf \'%s|%s\' "$unit" "$daemon"'

    assert shell.output("daemon", code, **GIVEN) == "active/running|12 3"


RESTARTS = {
    "it starts": ("exit 0", "0", 1),
    "it is slow": ("exit 124", "0", 1),
    "it does not start": ("case $1 in show) echo Result=exit-code ;; esac\nexit 1", "1", 1),
    "started too often": (
        "case $1 in show) echo Result=start-limit-hit ;; reset-failed) touch reset ;; esac\n"
        "[ -e reset ]",
        "0",
        2,
    ),
}


@pytest.mark.parametrize(("body", "refused", "restarts"), RESTARTS.values(), ids=RESTARTS)
def test_a_restart_is_refused_only_if_the_unit_fails(
    shell: Shell, body: str, refused: str, restarts: int
) -> None:
    shell.stand_in("systemctl", body)

    assert shell.output("daemon", 'daemon_restart; printf "%s" "$refused"', **GIVEN) == refused
    assert shell.calls.count("systemctl restart containerd") == restarts


def test_a_change_that_needs_no_restart_gets_none(shell: Shell) -> None:
    shell.stand_in("systemctl", "")

    shell.output("daemon", "daemon_restart", **{**GIVEN, "RESTART": "0"})

    assert shell.calls == []


def test_a_changed_unit_is_loaded_before_the_restart(shell: Shell) -> None:
    shell.stand_in("systemctl", "")
    generation = shell.state / "generations/r1"
    generation.mkdir(parents=True)
    real = "/etc/systemd/system/x.service"
    (generation / "manifest").write_text(f"file\t0\t644\t0\t0\td\t{real}\n")

    shell.output("daemon", "daemon_restart", **GIVEN)

    assert shell.calls == ["systemctl daemon-reload", "systemctl restart containerd"]


STATES = {
    "it starts": ("activating", "start", 0, 0, True),
    "before its main process": ("activating", "start-pre", 0, 0, True),
    "it runs": ("active", "running", 0, 0, False),
    "it has failed and waits": ("activating", "auto-restart", 0, 0, False),
    "it has failed and starts again": ("activating", "start", 2, 0, False),
    "its time is over": ("activating", "start", 0, 900, False),
}


@pytest.mark.parametrize(("active", "sub", "tries", "age", "starts"), STATES.values(), ids=STATES)
def test_a_unit_is_starting_within_its_own_time(
    shell: Shell, active: str, sub: str, tries: int, age: int, *, starts: bool
) -> None:
    since = int(float(Path("/proc/uptime").read_text().split()[0])) - age
    shown = (
        f"ActiveState={active}\\nSubState={sub}\\nNRestarts={tries}\\n"
        f"InactiveExitTimestampMonotonic={since}000000\\n"
    )
    shell.stand_in("systemctl", f"printf '{shown}'")
    given = {**GIVEN, "RESTART_SECONDS": "270", "HEALTH_SECONDS": "30"}

    assert (shell.run("daemon", "daemon_is_starting", **given).code == 0) is starts


def test_a_systemd_that_does_not_say_when_a_unit_began(shell: Shell) -> None:
    shell.stand_in("systemctl", "printf 'ActiveState=activating\\nSubState=start\\n'")

    assert shell.run("daemon", "daemon_is_starting", **GIVEN).code == 1


BY_K0S = {**GIVEN, "UNIT": "k0sworker", "RESTART": "self"}


def k0s(shell: Shell, process: str) -> dict[str, str]:
    """Return the variables of a node on which k0s has written this process into its file."""
    (shell.folder / "containerd.pid").write_text(f"{process}\n")
    return {**BY_K0S, "SOCKET": f"{shell.folder}/containerd.sock"}


def test_a_restart_by_k0s_is_waited_for(shell: Shell) -> None:
    shell.stand_in("systemctl", SHOW)
    given = k0s(shell, str(os.getppid()))
    code = (
        f'daemon_note_process; (sleep 0.5; echo {os.getpid()} >"${{SOCKET%/*}}/containerd.pid") &\n'
        'daemon_restart; daemon_read_unit; printf "%s|%s" "$refused" "$daemon"'
    )

    assert shell.output("daemon", code, **given) == f"0|12 3 {os.getpid()}"
    assert [call for call in shell.calls if "restart" in call] == []


def test_a_restart_that_k0s_does_not_make_is_refused(shell: Shell) -> None:
    given = k0s(shell, str(os.getpid()))
    code = (
        'daemon_note_process; daemon_wait_seconds=0; daemon_restart; printf "%s|%s" "$refused"'
        ' "$complaint"'
    )

    output = shell.output("daemon", code, **given)

    assert output == "1|the distribution did not restart its containerd within 0 s of the change"


def test_a_containerd_that_was_down_counts_once_it_runs(shell: Shell) -> None:
    given = k0s(shell, "4194305")
    code = (
        'daemon_note_process; printf "%s|" "$replaced_process"\n'
        f'echo {os.getpid()} >"${{SOCKET%/*}}/containerd.pid"\n'
        'daemon_restart; printf "%s" "$refused"'
    )

    assert shell.output("daemon", code, **given) == "|0"
