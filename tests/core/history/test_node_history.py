"""The history of rollouts as nodes tell it."""

from __future__ import annotations

import pytest

from fleet.core.history.audit import AuditEvent, AuditLog
from fleet.core.history.node_history import NodeEntries, merge_logs


def event(step: str, result: str, **more: str) -> AuditEvent:
    about = {"at": "2026-01-01T10:00:00Z", "rollout": "r1", "operator": "a@x", "kind": "rollout"}
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
        "n1": AuditLog((event("activate", "swapped"), event("activate", "swapped", rollout="r2"))),
        "n2": AuditLog((event("activate", "failed", rollout="r2"),)),
        "n3": AuditLog(),
    }

    second, first = merge_logs(logs)

    assert (second.rollout, list(second.nodes)) == ("r2", ["n1", "n2"])
    assert (first.rollout, list(first.nodes)) == ("r1", ["n1"])


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

    (rollout,) = merge_logs(logs)

    assert (rollout.kind, rollout.message) == ("rollback", "OPS-1")
    assert rollout.operators == ["a@x", "b@y"]
    assert [entry.at for entry in rollout.events][1:] == [later, latest]


def test_what_only_an_unlock_has_recorded_has_no_kind() -> None:
    (rollout,) = merge_logs({"n1": AuditLog((event("release", "released", kind="unlock"),))})

    assert (rollout.kind, rollout.message) == ("", "")


def test_no_logs_have_no_history() -> None:
    assert merge_logs({}) == []
