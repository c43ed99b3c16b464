"""lib/health.sh: health as systemd, crictl and ctr tell it, which are stand-ins here."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {
    **{"ID": "r1", "MODE": "activate", "OPERATOR": "me", "UNIT": "containerd", "path": ""},
    **{"RESTART": "1", "RESTART_SECONDS": "5", "LIVENESS": "", "liveness": ""},
    **{"CRICTL": "1", "SOCKET": "/run/x.sock", "HEALTH_SECONDS": "1", **HOOKS},
}
ACTIVE = "printf 'ActiveState=active\\nSubState=running\\nMainPID=12\\nNRestarts=0\\n'"
FAILED = "printf 'ActiveState=failed\\nSubState=failed\\nMainPID=0\\nNRestarts=5\\n'"
READY = """echo '{"status": {"conditions": [{"type": "RuntimeReady", "status": true}]}}'"""
NOT_READY = READY.replace("true", "false")
OK = "echo 'io.containerd.grpc.v1 cri linux/amd64 ok'"
ERROR = "echo 'io.containerd.grpc.v1 cri linux/amd64 error'"

STATES = {
    "all is well": (ACTIVE, READY, OK, "1", ""),
    "the unit has failed": (FAILED, READY, OK, "1", "unit failed/failed"),
    "the runtime is not ready": (ACTIVE, NOT_READY, OK, "1", "CRI does not report its runtime"),
    "no answer at all": (ACTIVE, "exit 1", "exit 1", "1", "containerd does not answer"),
    "the plugin has failed": (ACTIVE, "exit 1", ERROR, "1", "the CRI plugin is not ok"),
    "no crictl": (ACTIVE, "exit 1", OK, "0", ""),
    "no crictl and a failed plugin": (ACTIVE, READY, ERROR, "0", "the CRI plugin is not ok"),
}


@pytest.mark.parametrize(
    ("unit", "crictl", "ctr", "has_crictl", "expected"), STATES.values(), ids=STATES
)
def test_health_is_what_the_unit_and_cri_say(
    shell: Shell, unit: str, crictl: str, ctr: str, has_crictl: str, expected: str
) -> None:
    for name, body in (("systemctl", unit), ("crictl", crictl), ("ctr", ctr)):
        shell.stand_in(name, body)

    done = shell.run(
        "health", 'health_check || printf "%s" "$unhealthy"', **{**GIVEN, "CRICTL": has_crictl}
    )

    assert done.output.startswith(expected)
    assert bool(done.output) is bool(expected)


def test_a_live_daemon_with_an_active_unit_is_asked_no_more(shell: Shell) -> None:
    shell.stand_in("systemctl", ACTIVE)
    shell.stand_in("crictl", "exit 1")

    shell.output("health", "health_check", **{**GIVEN, "liveness": "live"})

    assert [call for call in shell.calls if call.startswith("crictl")] == []


def test_health_is_polled_until_it_is_there(shell: Shell) -> None:
    shell.stand_in("systemctl", f"[ -e later ] || {{ touch later; {FAILED}; exit; }}\n{ACTIVE}")
    shell.stand_in("crictl", READY)

    shell.output("health", "health_wait", **GIVEN)

    assert len([call for call in shell.calls if call.startswith("systemctl")]) == 2


def test_a_wait_for_health_ends(shell: Shell) -> None:
    shell.stand_in("systemctl", FAILED)

    done = shell.run("health", 'health_wait || printf "%s %s" "$limit" "$unhealthy"', **GIVEN)

    assert done.output == "1 unit failed/failed"


def test_a_refused_restart_shortens_the_wait(shell: Shell) -> None:
    shell.stand_in("systemctl", ACTIVE)
    shell.stand_in("crictl", READY)

    code = 'refused=1; health_wait; printf "%s" "$limit"'

    assert shell.output("health", code, **{**GIVEN, "HEALTH_SECONDS": "60"}) == "10"


@pytest.mark.parametrize(("before", "accepted"), [("", False), ("it was down", True)])
def test_a_state_that_was_ill_before_may_be_ill_again(
    shell: Shell, before: str, *, accepted: bool
) -> None:
    done = shell.run("health", 'unhealthy=x; health_was_ill "$ill"', ill=before, **GIVEN)

    assert (done.code == 0) is accepted
    assert done.reply.value("ill") == ("x" if accepted else "")


def test_evidence_is_what_failed_and_what_the_daemon_logged(shell: Shell) -> None:
    shell.stand_in("ctr", "echo plugin")
    shell.stand_in("journalctl", "echo logged")
    code = "unhealthy=why complaint=restart; health_evidence"

    assert shell.output("health", code, **GIVEN) == "why\nrestart\nplugin\nlogged\n"
