"""lib/steps.sh: steps, failures, and the end of a script."""

from __future__ import annotations

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {"ID": "r1", "MODE": "confirm", "OPERATOR": "me@here", **HOOKS}


def test_a_step_is_reported_with_its_time(shell: Shell) -> None:
    done = shell.run("steps", "steps_enter health", **GIVEN)

    name, uptime = done.reply.value("step").split()
    assert name == "health"
    assert float(uptime) > 0


def test_a_failure_is_reported_and_ends_the_script_by_its_hook(shell: Shell) -> None:
    code = "steps_fail health soak 'not well' 'look' 'evidence'; echo further"

    done = shell.run("steps", code, **GIVEN)

    assert done.code == 3
    assert done.failure == ("health", "soak", "not well")
    assert done.reply.value("remedy") == "look"
    assert done.reply.value("evidence") == "evidence"
    assert "further" not in done.output


def test_the_hooks_get_what_they_need(shell: Shell) -> None:
    code = """
    report() { printf '%s|' "$@"; }
    ON_FAILURE=report ON_FINISH=report
    steps_fail kind step message remedy >/dev/null
    steps_finish reverted
    """

    assert shell.output("steps", code, **GIVEN) == "reverted|"


def test_the_audit_log_gets_a_line(shell: Shell) -> None:
    shell.output("steps", "steps_audit confirmed", **GIVEN)

    (line,) = (shell.state / "audit.log").read_text().splitlines()
    assert line.split("\t")[1:] == ["confirm", "r1", "me@here", "confirmed"]


def test_an_audit_log_that_cannot_be_written_ends_nothing(shell: Shell) -> None:
    (shell.state / "audit.log").mkdir()

    done = shell.run("steps", "steps_audit confirmed && printf on", **GIVEN)

    assert (done.code, done.output) == (0, "on")
