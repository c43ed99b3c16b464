"""A rollback of nodes that have nothing to go back to."""

from __future__ import annotations

from fleet.core.failure import FailureKind
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher


def test_a_node_without_a_generation_is_no_failure_of_the_budget(small: Small) -> None:
    result = small.rollback(Watcher())

    kinds = [end.failure and end.failure.kind for end in result.outcomes.values()]
    assert (result.kind, result.status) == ("rollback", "finished")
    assert kinds == [FailureKind.NO_GENERATION] * 3
    assert {work for work, _ in small.pool.done} == {"probe"}
