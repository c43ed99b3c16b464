"""Running a script on a node: its reply, or the failure that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.secret import Secret
from fleet.node.run_script import failure_of, run_script
from fleet.node.script import Privilege, Reply, Script
from fleet.ssh import Remote, connect
from tests.support.ssh_server import Answer, SshServer, record, ssh_server

SCRIPT = Script(Step.SUDO, {}, 20)
ASKS = Answer("begun\t=plain\n", 1, "sudo: a password is required\n")
NodeOf = Callable[..., tuple[SshServer, Remote]]


@pytest.fixture
def node_of(tmp_path: Path) -> Iterator[NodeOf]:
    """Return a function that connects to a node with these answers, the last one again."""
    with ExitStack() as stack:

        def connected(*answers: Answer) -> tuple[SshServer, Remote]:
            left = list(answers)
            server = stack.enter_context(
                ssh_server(tmp_path, lambda _: left.pop(0) if len(left) > 1 else left[0])
            )
            return server, stack.enter_context(connect(server.node, server.settings))

        yield connected


def test_a_script_is_sent_as_input_and_its_records_come_back(node_of: NodeOf) -> None:
    server, remote = node_of(record(status="done", text="two\nlines\twith a tab"))

    reply = run_script(remote, SCRIPT, Privilege())

    assert (reply.value("status"), reply.value("text")) == ("done", "two\nlines\twith a tab")
    assert server.inputs == [SCRIPT.text()]
    assert server.commands == [SCRIPT.command_line(Privilege())]


def test_the_output_is_heard_as_it_arrives(node_of: NodeOf) -> None:
    _, remote = node_of(record(status="done"))
    heard: list[bytes] = []

    run_script(remote, SCRIPT, Privilege(), heard.append)

    assert b"".join(heard) == record(status="done").stdout.encode()


def test_a_password_goes_before_the_script_and_not_into_the_command(node_of: NodeOf) -> None:
    server, remote = node_of(record(status="done"))

    run_script(remote, SCRIPT, Privilege(Secret("hunter2")))

    assert server.inputs == [f"hunter2\n{SCRIPT.text()}"]
    assert "hunter2" not in server.commands[0]


def test_a_sudo_that_asks_is_asked_for_the_logins_rights(node_of: NodeOf) -> None:
    server, remote = node_of(ASKS, Answer(code=0))

    with pytest.raises(NodeError) as raised:
        run_script(remote, SCRIPT, Privilege())

    assert raised.value.failure.kind is FailureKind.SUDO
    assert raised.value.failure.step == Step.SUDO
    assert "password" in raised.value.failure.message
    assert "sudo -n -l" in server.commands[1]
    assert len(server.commands) == 2


def test_a_login_with_rights_to_other_commands_is_told_so(node_of: NodeOf) -> None:
    _, remote = node_of(ASKS, Answer(code=1, stderr="Sorry, only these\n"))

    with pytest.raises(NodeError) as raised:
        run_script(remote, SCRIPT, Privilege())

    assert raised.value.failure.kind is FailureKind.SUDO
    assert "some commands, but not" in raised.value.failure.message
    assert "Sorry, only these" in raised.value.failure.evidence


def test_a_password_that_another_node_refused_is_named_with_that_node(node_of: NodeOf) -> None:
    server, remote = node_of(ASKS)

    with pytest.raises(NodeError) as raised:
        run_script(remote, SCRIPT, Privilege(refused="w7"))

    assert raised.value.failure.kind is FailureKind.SUDO
    assert "on w7" in raised.value.failure.message
    assert len(server.commands) == 1


NOT_STARTED = {
    "no sudo": (Answer("begun\t=plain\n", 78), FailureKind.SUDO),
    "a wrong password": (Answer("begun\t=asked\n", 77), FailureKind.SUDO),
    "a shell that prints": (Answer("Welcome!\n", 1), FailureKind.AUTH),
    "a user without rights": (Answer("hello\t=1000\nend\t=\n"), FailureKind.SUDO),
    "a script that was ended": (Answer("begun\t=plain\nhello\t=0\n", 137), FailureKind.TIMEOUT),
    "a script that stopped": (Answer("begun\t=plain\nhello\t=0\n", 2), FailureKind.PROTOCOL),
    "a broken connection": (Answer("begun\t=plain\n", None), FailureKind.CONNECT),
}


@pytest.mark.parametrize(("answer", "kind"), NOT_STARTED.values(), ids=NOT_STARTED)
def test_a_script_that_did_not_run_to_its_end_is_a_failure(
    node_of: NodeOf, answer: Answer, kind: FailureKind
) -> None:
    _, remote = node_of(answer)

    with pytest.raises(NodeError) as raised:
        run_script(remote, SCRIPT, Privilege(Secret("x")))

    assert raised.value.failure.kind is kind


def reply(error_output: str = "", **values: str) -> Reply:
    return Reply([(key, (f"={value}",)) for key, value in values.items()], error_output)


def test_a_reply_without_a_failure_has_none() -> None:
    assert failure_of(reply(status="done", message="x")) is None


def test_a_failure_has_its_step_and_all_evidence() -> None:
    failure = failure_of(
        reply(
            failure="health",
            failed_step="restart",
            message="containerd does not answer",
            evidence="a log line",
            revert_evidence="another",
        )
    )

    assert failure is not None
    assert (failure.kind, failure.step) == (FailureKind.HEALTH, "restart")
    assert failure.message.startswith("containerd does not answer")
    assert failure.evidence == "a log line\nanother"


def test_a_failure_of_an_unknown_kind_breaks_the_protocol() -> None:
    with pytest.raises(NodeError) as raised:
        failure_of(reply(failure="melted"))

    assert raised.value.failure.kind is FailureKind.PROTOCOL


def test_a_failure_at_an_unknown_step_keeps_its_kind_and_message() -> None:
    failure = failure_of(
        reply(
            failure="health", failed_step="dance\x1b[2J", message="it fell", evidence="a log line"
        )
    )

    assert failure is not None
    assert (failure.kind, failure.step, failure.message) == (
        FailureKind.HEALTH,
        Step.READ,
        "it fell",
    )
    assert failure.evidence.splitlines()[0] == "a log line"
    assert "dance" in failure.evidence
    assert "\x1b" not in failure.evidence


BUGS = {
    "named by the shell": ("sh: 1: Cannot fork", FailureKind.UNSUPPORTED, "EAGAIN"),
    "not named": ("sh: 7: x: parameter not set", FailureKind.BUG, "it stopped"),
}


@pytest.mark.parametrize(("errors", "kind", "text"), BUGS.values(), ids=BUGS)
def test_a_script_that_ended_early_is_explained_by_its_shell(
    errors: str, kind: FailureKind, text: str
) -> None:
    failure = failure_of(reply(errors, failure="bug", failed_step="swap", message="it stopped"))

    assert failure is not None
    assert (failure.kind, failure.step) == (kind, "swap")
    assert text in failure.message
    assert failure.evidence == errors
