"""The history from the audit logs of the nodes."""

from __future__ import annotations

import pytest

from fleet.actions.node_history import NodeHistory, read_history
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.history.audit import AuditEvent, AuditLog
from fleet.errors import FleetError
from fleet.node.audit_log import read_audit_log
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher

FIRST, SECOND = "20260101-100000-00aa", "20260102-100000-00bb"
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")


def log(*rollouts: str, unread: int = 0, cut: bool = False) -> AuditLog:
    about = {"at": "2026-01-01T10:00:00Z", "step": "confirm", "result": "confirmed"}
    events = (AuditEvent(rollout=name, operator="me@here", **about) for name in rollouts)
    return AuditLog(tuple(events), unread, cut)


LOGS = {"a": log(FIRST, SECOND, unread=3), "b": LOST, "c": log(FIRST, cut=True)}


def read(small: Small, **about: str) -> NodeHistory:
    small.pool.ends |= {(read_audit_log, name): logged for name, logged in LOGS.items()}
    nodes = small.load().inventory.nodes
    return read_history(nodes, small.session(Watcher()), **about)


def test_the_logs_of_all_nodes_are_one_history(small: Small) -> None:
    history = read(small)

    assert [(entries.rollout, list(entries.nodes)) for entries in history.rollouts] == [
        (SECOND, ["a"]),
        (FIRST, ["a", "c"]),
    ]
    assert (history.failures, history.unread, history.cut) == ({"b": LOST}, {"a": 3}, ["c"])


@pytest.mark.parametrize(
    ("given", "rollout"), [("last", SECOND), ("20260101", FIRST), ("00bb", SECOND)]
)
def test_one_rollout_is_named_in_short(small: Small, given: str, rollout: str) -> None:
    assert [entries.rollout for entries in read(small, rollout=given).rollouts] == [rollout]


def test_names_that_fit_no_rollout_or_several_are_errors(small: Small) -> None:
    with pytest.raises(FleetError, match="no rollout '2025' in the audit logs"):
        read(small, rollout="2025")
    with pytest.raises(FleetError, match=f"ambiguous.*\n  {SECOND}  change\n  {FIRST}"):
        read(small, rollout="2026")


def test_only_the_log_of_one_node_is_read(small: Small) -> None:
    history = read(small, node="c")

    assert [entries.rollout for entries in history.rollouts] == [FIRST]
    assert small.pool.done == [("read_audit_log", "c")]
    with pytest.raises(FleetError, match="no node 'x'"):
        read(small, node="x")


def test_ids_that_fleet_cannot_have_made_are_not_the_last(small: Small) -> None:
    small.pool.ends |= {(read_audit_log, name): log(FIRST) for name in "ac"}
    small.pool.ends[read_audit_log, "b"] = log("zzzz", "99991231-235959-ffff", FIRST)
    nodes = small.load().inventory.nodes

    history = read_history(nodes, small.session(Watcher()), rollout="last")

    assert [entries.rollout for entries in history.rollouts] == [FIRST]
    assert history.unread == {"b": 2}
