"""A script, its answer, and the one way that both travel."""

from __future__ import annotations

from collections.abc import Callable

from fleet.core.outcome import Failure, FailureKind, NodeError
from fleet.core.text import tail
from fleet.node.shell import Privilege, Reply, Script, parse_reply, stranger
from fleet.ssh import Remote

_NET = 15
"""Seconds that the workstation waits beyond the deadline that the node itself keeps."""


def ask(
    remote: Remote,
    script: Script,
    privilege: Privilege,
    heard: Callable[[bytes], None] | None = None,
) -> Reply:
    """Run one script on the node and read its records; `heard` is given them as they arrive."""
    said = remote.run(
        script.line(privilege),
        stdin=script.stdin(privilege),
        seconds=script.seconds + _NET,
        heard=heard,
    )
    try:
        return parse_reply(script.name, said.code, said.stdout, said.stderr)
    except NodeError as error:
        if privilege.refused and error.failure.kind is FailureKind.SUDO:
            raise NodeError(FailureKind.SUDO, script.name, refusal(privilege)) from error
        raise


def refusal(privilege: Privilege) -> str:
    """Say where the password was refused, and that no other node was given it."""
    return (
        f"sudo refused the password on {privilege.refused}, and it is tried on no other node of"
        " this login; give the right one with -K"
    )


def failure_of(reply: Reply) -> Failure | None:
    """Read the failure that a script told; a kind that fleet does not know is a broken protocol."""
    if not reply.has("failure"):
        return None
    evidence = "\n".join((reply.value("evidence"), reply.value("revert_evidence")))
    try:
        kind = FailureKind(reply.value("failure"))
    except ValueError as error:
        raise stranger(f"an unknown failure, {tail(reply.value('failure'), 1)}") from error
    message = tail(reply.value("message"))
    return Failure(kind, reply.value("failed_step"), message, tail(evidence))
