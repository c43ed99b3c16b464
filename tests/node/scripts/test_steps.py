"""lib/steps.sh: steps, failures, and the end of a script."""

from __future__ import annotations

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {
    **{"ID": "r1", "MODE": "confirm", "OPERATOR": "me@here", "PURPOSE": "rollout"},
    **{"MESSAGE": "OPS-12: a dead mirror", **HOOKS},
}
TAKE_MUTEX = 'exec 9>"$RUN/mutex"; flock -n 9;'


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
    assert line.split("\t")[1:] == [
        *("confirm", "r1", "me@here", "confirmed", "rollout", "OPS-12: a dead mirror")
    ]


def test_the_newest_half_of_a_long_audit_log_is_kept(shell: Shell) -> None:
    log = shell.state / "audit.log"
    lines = [f"{number:099}\n" for number in range(11_000)]
    log.write_text("".join(lines))

    for mode, code in (("confirm", TAKE_MUTEX), ("release", ""), ("release", TAKE_MUTEX)):
        before = log.stat().st_size
        shell.output("steps", f"{code} steps_audit done", **{**GIVEN, "MODE": mode})
        assert (log.stat().st_size > before) is not (mode == "release" and bool(code))

    kept = log.read_text().splitlines(keepends=True)
    assert log.stat().st_size < 600_000
    assert kept[:-3] == lines[-len(kept[:-3]) :]
    assert [line.split("\t")[1] for line in kept[-3:]] == ["confirm", "release", "release"]
    assert [path.name for path in shell.state.iterdir()] == ["audit.log"]


def test_an_audit_log_of_a_mebibyte_is_not_cut(shell: Shell) -> None:
    log = shell.state / "audit.log"
    log.write_text("x" * (1 << 20))

    shell.output("steps", f"{TAKE_MUTEX} steps_audit done", **{**GIVEN, "MODE": "activate"})

    assert log.stat().st_size > 1 << 20


def test_an_audit_log_that_cannot_be_replaced_stays(shell: Shell) -> None:
    log = shell.state / "audit.log"
    log.write_text("x\n" * (1 << 20))
    shell.stand_in("mv", "exit 1")

    shell.output("steps", f"{TAKE_MUTEX} steps_audit done", **{**GIVEN, "MODE": "activate"})

    assert log.stat().st_size > 1 << 21
    assert [path.name for path in shell.state.iterdir()] == ["audit.log"]


def test_an_audit_log_that_cannot_be_written_ends_nothing(shell: Shell) -> None:
    (shell.state / "audit.log").mkdir()

    done = shell.run("steps", "steps_audit confirmed && printf on", **GIVEN)

    assert (done.code, done.output) == (0, "on")
