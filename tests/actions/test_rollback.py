"""A rollback of nodes that have nothing to go back to."""

from __future__ import annotations

import pytest

from fleet.actions.options import RolloutOptions
from fleet.actions.rollback import plan_rollback
from fleet.core.failure import FailureKind
from fleet.core.model.outcome import NodeStatus
from fleet.errors import FleetError
from fleet.node.probe_node import probe
from tests.actions.conftest import Small
from tests.support.build import failure
from tests.support.scripted_pool import Watcher


def test_nodes_with_nothing_to_undo_stay_unchanged(small: Small) -> None:
    result = small.rollback(Watcher())

    assert (result.kind, result.status, result.rollout) == ("rollback", "finished", "")
    assert {outcome.status for outcome in result.outcomes.values()} == {NodeStatus.UNCHANGED}
    assert {work for work, _ in small.pool.done} == {"probe"}


def test_a_registry_that_no_node_has_is_refused(small: Small) -> None:
    inventory = small.load().inventory
    options = RolloutOptions(registry="QAUY.io")

    with pytest.raises(FleetError, match=r'no node has or had settings for "qauy.io"'):
        plan_rollback(inventory, inventory.nodes, options, small.session(Watcher()), None)


def test_a_node_that_was_not_read_may_have_the_registry(small: Small) -> None:
    inventory = small.load().inventory
    small.pool.ends[probe, "b"] = failure(FailureKind.CONNECT)
    options = RolloutOptions(registry="quay.io")

    plans = plan_rollback(inventory, inventory.nodes, options, small.session(Watcher()), None)

    assert [plan.failure is None for plan in plans] == [True, False, True]
