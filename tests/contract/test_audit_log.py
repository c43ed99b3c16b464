"""The audit log of a node: what changes write into it, and how it is read."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind
from fleet.core.history.audit import READ_LIMIT, AuditLog
from fleet.node.audit_log import AuditOrder, read_audit_log
from fleet.node.settle import SettleMode, settle
from tests.contract.target import Target

SUITES = ("bullseye", "forky")  # the script does not ask for the release
LOG = "/var/lib/fleet/audit.log"


def read(target: Target) -> AuditLog | Failure:
    return read_audit_log(AuditOrder(target.node, target.access))


def test_a_change_is_recorded_with_its_kind_and_message(target: Target) -> None:
    before = read(target)
    message = "OPS-12: 'quoted' $HOME `id` \\ 镜像"
    order = target.staged(message=message, purpose="rollback", operator="me@here")
    target.activate(order)
    settle(order, SettleMode.CONFIRM)

    log = read(target)

    assert before == AuditLog()
    assert isinstance(log, AuditLog)
    assert [(event.step, event.result) for event in log.events] == [
        ("activate", "swapped"),
        ("confirm", "confirmed"),
    ]
    assert {(event.rollout, event.operator, event.kind, event.message) for event in log.events} == {
        ("r1", "me@here", "rollback", message)
    }
    assert log.events[0].at <= log.events[1].at


def test_a_revert_by_the_guard_s_script_is_recorded(target: Target) -> None:
    order = target.staged(message="OPS-13")
    target.activate(order)
    settle(order, SettleMode.REVERT)

    log = read(target)

    assert isinstance(log, AuditLog)
    assert (log.events[-1].step, log.events[-1].result) == ("guard", "rolled_back")
    assert log.events[-1].message == "OPS-13"


def test_a_log_of_any_size_and_content_is_read(target: Target) -> None:
    folder = "mkdir -p /var/lib/fleet && chmod 700 /var/lib/fleet"
    entry = r"2026-01-01T10:00:00Z\tconfirm\tr1\tme\tconfirmed\n"
    target.machine.sh(
        f"{folder} && head -c 3000000 /dev/zero >{LOG} && printf '\\n{entry}' >>{LOG}"
    )

    log = read(target)

    assert isinstance(log, AuditLog)
    assert (len(log.events), log.cut) == (1, True)
    assert READ_LIMIT < 3_000_000


def test_a_folder_that_another_user_can_change_is_not_read(target: Target) -> None:
    target.machine.sh("mkdir -p /var/lib/fleet && chmod 777 /var/lib/fleet")

    failure = read(target)

    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.UNSUPPORTED
