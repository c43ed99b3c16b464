"""A rollback of nodes that have nothing to go back to."""

from __future__ import annotations

from fleet.core.model.outcome import NodeStatus
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher


def test_nodes_with_nothing_to_undo_stay_unchanged(small: Small) -> None:
    result = small.rollback(Watcher())

    assert (result.kind, result.status, result.rollout) == ("rollback", "finished", "")
    assert {outcome.status for outcome in result.outcomes.values()} == {NodeStatus.UNCHANGED}
    assert {work for work, _ in small.pool.done} == {"probe"}
