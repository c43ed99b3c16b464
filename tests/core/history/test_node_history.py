"""The history of rollouts as nodes tell it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleet.core.history.audit import AuditEvent, AuditLog
from fleet.core.history.node_history import NodeEntries, merge_logs

FIRST, SECOND = "20260101-095959-00aa", "20260101-100500-00bb"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def event(step: str, result: str, **more: str) -> AuditEvent:
    about = {"at": "2026-01-01T10:00:00Z", "rollout": FIRST, "operator": "a@x", "kind": "rollout"}
    return AuditEvent(step=step, result=result, **{**about, **more})


ENDED = {
    "confirmed": (["activate swapped", "confirm confirmed"], "converged"),
    "checked again": (["activate swapped", "confirm confirmed", "recheck failed"], "converged"),
    "waiting": (["activate swapped"], "unconfirmed"),
    "refused": (["activate failed"], "failed"),
    "reverted at once": (["activate rolled_back"], "rolled_back"),
    "reverted by the guard": (["activate swapped", "confirm failed", "guard rolled_back"],
                              "rolled_back"),
    "not reverted": (["activate swapped", "guard degraded"], "degraded"),
    "tried again": (["guard unsettled", "guard rolled_back"], "rolled_back"),
    "released": (["activate swapped", "guard rolled_back", "release released"], "rolled_back"),
    "never begun": (["release released"], "pending"),
    "of another release": (["dance done"], "pending"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "status"), ENDED.values(), ids=ENDED)
def test_the_entries_of_a_node_say_how_it_ended(lines: list[str], status: str) -> None:
    events = tuple(event(*line.split()) for line in lines)

    assert NodeEntries(events).status == status


def test_logs_are_merged_by_rollout_the_newest_first() -> None:
    logs = {
        "n1": AuditLog(
            (event("activate", "swapped"), event("activate", "swapped", rollout=SECOND))
        ),
        "n2": AuditLog((event("activate", "failed", rollout=SECOND),)),
        "n3": AuditLog(),
    }

    second, first = merge_logs(logs, NOW)

    assert (second.rollout, list(second.nodes)) == (SECOND, ["n1", "n2"])
    assert (first.rollout, list(first.nodes)) == (FIRST, ["n1"])


def test_a_rollout_has_what_its_entries_say() -> None:
    later, latest = "2026-01-01T10:01:00Z", "2026-01-01T10:02:00Z"
    logs = {
        "n1": AuditLog((event("release", "released", at=latest, operator="b@y", kind="unlock"),)),
        "n2": AuditLog(
            (
                event("activate", "swapped", kind="", message=""),
                event("confirm", "confirmed", at=later, kind="rollback", message="OPS-1"),
            )
        ),
    }

    (rollout,) = merge_logs(logs, NOW)

    assert (rollout.kind, rollout.message) == ("rollback", "OPS-1")
    assert rollout.operators == ["a@x", "b@y"]
    assert rollout.span == ("2026-01-01T10:00:00Z", latest)


def test_what_only_an_unlock_has_recorded_has_no_kind() -> None:
    (rollout,) = merge_logs({"n1": AuditLog((event("release", "released", kind="unlock"),))}, NOW)

    assert (rollout.kind, rollout.message) == ("", "")


def test_no_logs_have_no_history() -> None:
    assert merge_logs({}, NOW) == []


def log(*events: AuditEvent) -> AuditLog:
    return AuditLog(events)


def test_a_node_that_differs_from_most_does_not_rewrite_a_rollout() -> None:
    early = "2026-01-01T09:59:59Z"
    forged = event("activate", "swapped", at=early, kind="remove", message="bye", operator="z@z")
    logs = {"evil": log(forged), **dict.fromkeys(("n1", "n2"), log(event("confirm", "confirmed")))}

    (rollout,) = merge_logs(logs, NOW)

    assert (rollout.kind, rollout.message) == ("rollout", "")
    assert rollout.operators == ["a@x", "z@z"]
    assert rollout.differing == {"evil": ("remove", "bye")}


def test_a_message_that_only_one_node_has_is_not_that_of_the_rollout() -> None:
    said = log(event("confirm", "confirmed", message="run this: curl"))
    plain = log(event("confirm", "confirmed"))

    (rollout,) = merge_logs({"evil": said, "n1": plain, "n2": plain}, NOW)

    assert (rollout.message, list(rollout.differing)) == ("", ["evil"])


def test_a_lock_that_a_later_rollback_released_does_not_differ() -> None:
    released = event("release", "released", kind="rollback", message="OPS-2")
    logs = {"n1": log(released), "n2": log(event("confirm", "confirmed"), released)}

    (rollout,) = merge_logs(logs, NOW)
    (only,) = merge_logs({"n1": log(released)}, NOW)

    assert (rollout.kind, rollout.message, rollout.differing) == ("rollout", "", {})
    assert (only.kind, only.message, only.differing) == ("rollback", "OPS-2", {})


@pytest.mark.parametrize("wrong", ["1970-01-01T00:00:07Z", "2099-01-01T00:00:00Z"])
def test_a_wrong_clock_does_not_stretch_a_rollout(wrong: str) -> None:
    right = "2026-01-01T10:00:00Z"
    odd = event("confirm", "confirmed", at=wrong)

    (rollout,) = merge_logs({"n1": log(odd), "n2": log(event("confirm", "confirmed"))}, NOW)
    (only,) = merge_logs({"n1": log(odd)}, NOW)

    assert (rollout.span, only.span) == ((right, right), (wrong, wrong))
