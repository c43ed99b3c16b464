"""The run of a script on a node, and its reply or failure."""

from __future__ import annotations

from collections.abc import Callable

from fleet.core.failure import Failure, FailureKind, NodeError, reported_failure
from fleet.core.masking.shown_text import tail
from fleet.node.launch import sudo_check_line
from fleet.node.login_failures import NotStartedError, cause_of, only_listed
from fleet.node.script import Privilege, Reply, Script, parse_reply, protocol_error
from fleet.node.shell_errors import shell_error_cause
from fleet.ssh import Remote

_NET = 15
"""Seconds that the workstation waits beyond the node's own deadline."""


def run_script(
    remote: Remote,
    script: Script,
    privilege: Privilege,
    on_output: Callable[[bytes], None] | None = None,
) -> Reply:
    """Run one script on the node and return its records; `on_output` gets output as it arrives."""
    result = remote.run(
        script.command_line(privilege),
        stdin=script.stdin(privilege),
        seconds=script.seconds + _NET,
        on_output=on_output,
    )
    try:
        return parse_reply(script.name, result.code, result.stdout, result.stderr)
    except NotStartedError as error:
        if error.cause != "ask":
            raise
        if privilege.refused:
            raise NodeError(FailureKind.SUDO, script.name, *refusal(privilege)) from error
        raise _check_rights(remote, privilege, error) from error


def _check_rights(remote: Remote, privilege: Privilege, error: NotStartedError) -> NotStartedError:
    """Return the error, or another one if sudo would refuse fleet's scripts with a password too.

    If some commands need no password, sudo shows without one that it would not run fleet's.
    """
    result = remote.run(sudo_check_line(privilege.command), stdin=b"", seconds=_NET)
    if result.code == 0 or cause_of(result.code, result.stderr):
        return error
    return only_listed(error.failure.step, f"{error.failure.evidence}\n{result.stderr}")


def refusal(privilege: Privilege) -> tuple[str, str]:
    """Return the message and the remedy for a password that one node has refused."""
    message = f"wrong sudo password (tested on {privilege.refused} only)"
    return message, "run the command again with -K and the right password"


def failure_of(reply: Reply) -> Failure | None:
    """Return the failure that a script reported, if any; raise a NodeError for an unknown kind.

    The guard of an older release sends no remedy: its message ends with what to do.
    """
    if not reply.has("failure"):
        return None
    evidence = "\n".join((reply.value("evidence"), reply.value("revert_evidence")))
    try:
        kind = FailureKind(reply.value("failure"))
    except ValueError as error:
        raise protocol_error(f"unknown failure {tail(reply.value('failure'), 1)}") from error
    message, remedy = tail(reply.value("message")), tail(reply.value("remedy"))
    early = kind is FailureKind.BUG  # the shell's own error output says why the script ended
    evidence = f"{evidence}\n{reply.error_output}" if early else evidence
    step = tail(reply.value("failed_step"), 1)
    failure = reported_failure(kind, step, message, remedy, tail(evidence))
    cause = shell_error_cause(failure.step, reply.error_output) if early else None
    return failure if cause is None else cause.failure
