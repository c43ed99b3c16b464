"""lib/liveness.sh: whether the daemon reads its hosts directory, by a crictl that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {
    **{"ID": "r1", "MODE": "activate", "OPERATOR": "me", "UNIT": "containerd", "CRICTL": "1"},
    **{"SOCKET": "/run/x.sock", "HEALTH_SECONDS": "1", **HOOKS},
}
LIVE = "echo 'failed to do request: Get http://127.0.0.1:1/v2/: connection refused'; exit 1"
DEAF = "echo 'lookup fleet-probe.invalid: no such host'; exit 1"
SAFE = "ownership_find_shared() { return 1; }\n"
"""Test folders lie below /tmp, which everybody may change."""


def hosts(shell: Shell) -> Path:
    """Return a hosts directory."""
    folder = shell.folder / "certs.d"
    folder.mkdir()
    return folder


ANSWERS = {
    "a pull that asked the closed port": ("Get http://127.0.0.1:1/v2/x: refused", "live"),
    "one that asked elsewhere": ("lookup fleet-probe.invalid: no such host", "not_reading"),
    "a daemon that is starting": ("rpc error: code = Unavailable", ""),
    "CRI is not there yet": ("server is not initialized yet", ""),
    "no answer in time": ("DeadlineExceeded", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_shows_which_host_was_asked(shell: Shell, answer: str, expected: str) -> None:
    code = 'liveness=; liveness_read_answer "$answer"; printf "%s" "$liveness"'

    assert shell.output("liveness", code, LIVENESS="", answer=answer, **GIVEN) == expected


@pytest.mark.parametrize(("crictl", "expected"), [(LIVE, "live"), (DEAF, "not_reading")])
def test_a_daemon_is_asked_by_a_folder_that_goes_again(
    shell: Shell, crictl: str, expected: str
) -> None:
    folder = hosts(shell)
    shell.stand_in("crictl", f"cat {folder}/*/hosts.toml >asked\n{crictl}")

    done = shell.run(
        "liveness",
        f"{SAFE}liveness_check; printf 'code\\t=%s\\n' $?",
        LIVENESS=str(folder),
        **GIVEN,
    )

    assert done.reply.value("code") == ("0" if expected == "live" else "1")
    assert done.reply.value("liveness").split()[0] == expected
    assert '[host."http://127.0.0.1:1"]' in (shell.folder / "asked").read_text()
    assert list(folder.iterdir()) == []


def test_a_daemon_that_starts_is_asked_again(shell: Shell) -> None:
    shell.stand_in("crictl", f"[ -e later ] || {{ touch later; echo Unavailable; exit; }}\n{LIVE}")

    done = shell.run("liveness", f"{SAFE}liveness_check", LIVENESS=str(hosts(shell)), **GIVEN)

    assert done.reply.value("liveness").split()[0] == "live"
    assert len(shell.calls) == 2


@pytest.mark.parametrize(
    "more", [{"CRICTL": "0"}, {"LIVENESS": ""}], ids=["no crictl", "no folder"]
)
def test_without_crictl_or_a_folder_nothing_is_asked(shell: Shell, more: dict[str, str]) -> None:
    given = {**GIVEN, "LIVENESS": str(hosts(shell)), **more}

    assert shell.output("liveness", f"{SAFE}liveness_check", **given) == ""


def test_a_folder_that_others_can_change_is_not_written(shell: Shell) -> None:
    folder = hosts(shell)
    unsafe = f"ownership_find_shared() {{ steered={folder}; }}\n"

    done = shell.run("liveness", f"{unsafe}liveness_check", LIVENESS=str(folder), **GIVEN)

    assert done.reply.value("liveness").split()[0] == "unchecked"
    assert done.reply.value("liveness_said").startswith(f"not checked: {folder} is writable")


def test_what_a_killed_check_left_is_swept(shell: Shell) -> None:
    folder = hosts(shell)
    for name in ("4194305.fleet-probe.invalid", "1.fleet-probe.invalid", "docker.io"):
        (folder / name).mkdir()

    shell.output("liveness", f"{SAFE}liveness_sweep", LIVENESS=str(folder), **GIVEN)

    left = {path.name for path in folder.iterdir()}
    assert "4194305.fleet-probe.invalid" not in left
    assert "docker.io" in left


def test_a_daemon_that_does_not_read_its_folder_is_a_failure(shell: Shell) -> None:
    done = shell.run("liveness", "said=answer; liveness_fail", LIVENESS="/etc/certs.d", **GIVEN)

    assert done.failure[:2] == ("health", "liveness")
    assert done.reply.value("evidence") == "answer"
