"""The next steps of a report: what can go on, and nothing that cannot."""

from __future__ import annotations

import pytest

from fleet.core.report.next_steps import next_steps
from tests.support.reports import node, report

ID = "20260101-000000-abcd"
CASES = {
    "all well": ("finished", {"a": "converged"}, [f"fleet undo {ID}"]),
    "nothing changed": ("finished", {"a": "unchanged"}, []),
    "interrupted": ("interrupted", {"a": "pending"}, [f"fleet resume {ID}"]),
    "halted without a failure": ("halted", {"a": "pending"}, [f"fleet resume {ID}"]),
    "failures": (
        "failed",
        {"a1": "failed", "a2": "unreachable", "b": "no_access"},
        [
            f"fleet rollout --rerun failed {ID}",
            f"fleet rollout --rerun unreachable {ID}",
        ],
    ),
    "halted by failures": (
        "halted",
        {"a": "rolled_back", "b1": "pending", "b2": "pending"},
        [f"fleet rollout --rerun failed {ID}", "fleet rollout -l 'b[1-2]'"],
    ),
    "a degraded node": (
        "halted",
        {"a": "degraded", "b": "converged"},
        ["fleet probe -l a", f"fleet undo {ID}"],
    ),
}


@pytest.mark.parametrize(("ending", "nodes", "commands"), CASES.values(), ids=list(CASES))
def test_the_commands_that_go_on(ending: str, nodes: dict[str, str], commands: list[str]) -> None:
    data = report({name: node(status) for name, status in nodes.items()}, ending=ending)

    assert [command for _, command in next_steps(data)] == commands


def test_a_rollback_has_no_rerun() -> None:
    data = report({"a": node("failed")}, ending="failed", kind="rollback")

    assert list(next_steps(data)) == []
