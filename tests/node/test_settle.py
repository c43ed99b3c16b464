"""Settling a change: the status that a node reports, and tries until it can report one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.model.outcome import Liveness, LivenessState
from fleet.node.change_status import (
    ChangeState,
    ChangeStatus,
    RevertReason,
    SettleEnding,
    parse_change_status,
)
from fleet.node.script import Reply
from fleet.node.settle import (
    SettleMode,
    read_change_status,
    settle,
    settle_script,
    settle_with_retries,
    unlock,
)
from fleet.node.work_order import Deadlines
from fleet.ssh import SshSettings, connect
from tests.support.orders import order_of
from tests.support.ssh_server import Answer, SshServer, in_turn, record, ssh_server

BUSY = record(status="looked", standing="applying 1")
LOCKED = record(status="failed", failure="locked", failed_step="lock", message="held by r0")
CONFIRMED = record(status="confirmed", standing="confirmed 1")
BROKEN = Answer("begun\t=plain\n", None)


def modes(server: SshServer) -> list[str]:
    """Return the modes of the scripts that a node ran, in order."""
    return [text.partition("MODE=")[2].partition("\n")[0] for text in server.inputs]


def test_all_that_a_node_reports_is_kept() -> None:
    values = {
        "status": "not_pending",
        "standing": "restored 12.5",
        "why": "timer",
        "lock_description": "rollout r0 of eve",
        "failure": "guard",
        "failed_step": "confirm",
        "pending": "2 files",
        "strange": "/etc/x",
        "lock": "r0\neve\n",
        "liveness": "live 1 2",
        "ill": "no CRI",
        "held": "yes",
    }
    change = parse_change_status(Reply([(key, (f"={text}",)) for key, text in values.items()]))

    assert change.failure is not None
    assert change.failure.kind is FailureKind.GUARD
    assert change == ChangeStatus(
        ending=SettleEnding.NOT_PENDING,
        state=ChangeState.RESTORED,
        reason=RevertReason.TIMER,
        lock_holder="rollout r0 of eve",
        failure=change.failure,
        pending="2 files",
        edited_file="/etc/x",
        lock=("r0", "eve"),
        liveness=Liveness(LivenessState.LIVE, 1.0, ""),
        unhealthy="no CRI",
        held=True,
    )


def test_a_short_report_is_enough() -> None:
    change = parse_change_status(Reply([("status", ("=looked",))]))

    assert change == ChangeStatus(ending=SettleEnding.LOOKED)


@pytest.mark.parametrize("key", ["status", "standing", "why"])
def test_an_unknown_word_of_a_node_is_a_failure_of_the_protocol(key: str) -> None:
    values = {"status": "looked", "standing": "swapped 1", "why": "timer", key: "melted"}
    reply = Reply([(name, (f"={text}",)) for name, text in values.items()])

    with pytest.raises(NodeError, match="melted") as raised:
        parse_change_status(reply)

    assert raised.value.failure.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize(
    ("mode", "seconds"),
    [
        (SettleMode.LOOK, 60),
        (SettleMode.RELEASE, 60),
        (SettleMode.CONFIRM, 78),
        (SettleMode.REVERT, 78),
    ],
)
def test_a_mode_that_changes_the_node_has_more_time(mode: SettleMode, seconds: int) -> None:
    order = order_of(deadlines=Deadlines(restart=2, health=7))

    script = settle_script(order, mode)

    assert (script.name, script.seconds) == ("settle", seconds)
    assert script.variables["MODE"] == mode
    assert script.variables["ROLLOUT"] == "r1"
    assert script.variables["HEALTH_SECONDS"] == "7"


def test_a_mode_runs_over_a_new_connection_or_over_the_one_given(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(CONFIRMED)) as server:
        order = order_of(settings=server.settings)

        assert settle(order, SettleMode.CONFIRM).ending == "confirmed"
        with connect(order.node, server.settings) as remote:
            assert settle(order, SettleMode.RECHECK, remote).ending == "confirmed"

        assert (modes(server), server.logins) == (["confirm", "recheck"], 2)


RETRIED = {
    "a script runs there": BUSY,
    "another rollout has the lock": LOCKED,
    "the connection breaks": BROKEN,
    "the reply is cut": Answer("begun\t=plain\nhello\t=0\n", 1),
}


@pytest.mark.parametrize("answer", RETRIED.values(), ids=RETRIED)
def test_a_node_that_is_busy_or_lost_for_a_moment_is_tried_again(
    tmp_path: Path, answer: Answer
) -> None:
    with ssh_server(tmp_path, in_turn(answer, CONFIRMED)) as server:
        change = settle_with_retries(order_of(settings=server.settings), SettleMode.CONFIRM, 30)

        assert (change.ending, len(server.inputs)) == ("confirmed", 2)


def test_what_a_retry_cannot_help_is_raised_at_once(tmp_path: Path) -> None:
    with (
        ssh_server(tmp_path, in_turn(Answer("hello\t=1000\nend\t\n"))) as server,
        pytest.raises(NodeError) as raised,
    ):
        settle_with_retries(order_of(settings=server.settings), SettleMode.CONFIRM, 30)

    assert raised.value.failure.kind is FailureKind.SUDO
    assert len(server.inputs) == 1


def test_a_node_that_stays_busy_is_reported_as_it_is(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(BUSY)) as server:
        change = settle_with_retries(order_of(settings=server.settings), SettleMode.LOOK, -1)

    assert change.state is ChangeState.APPLYING


def test_a_node_that_stays_lost_is_an_error(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(BROKEN)) as server, pytest.raises(NodeError) as raised:
        settle_with_retries(order_of(settings=server.settings), SettleMode.LOOK, -1)

    assert raised.value.failure.kind is FailureKind.CONNECT


def test_what_comes_first_uses_the_same_connection(tmp_path: Path) -> None:
    seen: list[int] = []
    with ssh_server(tmp_path, in_turn(CONFIRMED)) as server:
        settle_with_retries(
            order_of(settings=server.settings), "confirm", 0, lambda _: seen.append(server.logins)
        )

        assert (seen, server.logins) == ([1], 1)


def test_reading_a_change_changes_nothing(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(record(status="looked", standing="swapped 1"))) as server:
        change = read_change_status(order_of(settings=server.settings))

        assert isinstance(change, ChangeStatus)
        assert (change.state, modes(server)) == ("swapped", ["look"])


def test_a_node_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    settings = SshSettings(str(tmp_path / "nowhere"))

    for read in (read_change_status, unlock):
        failure = read(order_of(settings=settings))
        assert isinstance(failure, Failure)
        assert failure.step == Step.CONNECT


def looked(state: str) -> Answer:
    return record(status="looked", standing=f"{state} 1")


RELEASED = record(status="released")
UNLOCKS = {
    "nothing pending": ((looked("untouched"), RELEASED), ["look", "release"], "released"),
    "a confirmed change": ((looked("confirmed"), RELEASED), ["look", "release"], "released"),
    "an active change": (
        (looked("swapped"), record(status="rolled_back"), RELEASED),
        ["look", "revert", "release"],
        "released",
    ),
    "an armed change": (
        (looked("armed"), record(status="rolled_back"), RELEASED),
        ["look", "revert", "release"],
        "released",
    ),
    "a revert that fails": (
        (looked("reverting"), record(status="degraded")),
        ["look", "revert"],
        "degraded",
    ),
}


@pytest.mark.parametrize(("answers", "asked", "ended"), UNLOCKS.values(), ids=UNLOCKS)
def test_a_lock_goes_only_after_its_unconfirmed_change(
    tmp_path: Path, answers: tuple[Answer, ...], asked: list[str], ended: str
) -> None:
    with ssh_server(tmp_path, in_turn(*answers)) as server:
        change = unlock(order_of(settings=server.settings))

        assert isinstance(change, ChangeStatus)
        assert (change.ending, modes(server)) == (ended, asked)


def test_a_removal_names_the_folders_of_killed_checks_alone() -> None:
    order = order_of(settings=SshSettings())
    check = "/etc/containerd/certs.d/7.fleet-probe.invalid"
    plan = replace(order.plan, removes=("/var/lib/fleet", check))

    script = settle_script(replace(order, plan=plan), SettleMode.REMOVE)

    assert script.variables["CHECKS"] == check
