"""A removal over nodes: who is changed, and which options cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.actions.options import RolloutOptions
from fleet.actions.remove import plan_remove, remove, saved_request
from fleet.actions.undo import changed_by
from fleet.core.plan.removal import RemovalRequest
from fleet.core.plan.undo_request import UndoRequest
from fleet.errors import FleetError
from fleet.node.probe_node import probe
from tests.actions.conftest import Small
from tests.support.scripted_pool import TRIXIE, Watcher


def test_only_nodes_with_something_of_fleet_are_worked_on(small: Small) -> None:
    small.pool.ends[probe, "b"] = replace(TRIXIE, own_files=("/run/fleet",))
    inventory, watcher = small.load().inventory, Watcher()

    result = remove(
        inventory, inventory.nodes, RolloutOptions(), small.session(watcher), small.target
    )

    assert (result.kind, result.status) == ("remove", "finished")
    assert {name: str(outcome.status) for name, outcome in result.outcomes.items()} == {
        "a": "unchanged",
        "b": "converged",
        "c": "unchanged",
    }
    assert small.pool.done[3:] == [("stage", "b"), ("converge", "b")]


def test_a_removal_cannot_be_undone(small: Small) -> None:
    small.pool.ends[probe, "b"] = replace(TRIXIE, own_files=("/run/fleet",))
    inventory, session = small.load().inventory, small.session(Watcher())
    removed = remove(inventory, inventory.nodes, RolloutOptions(), session, small.target).rollout

    for given in (removed, "last"):
        with pytest.raises(FleetError, match=f"remove {removed} .* cannot be undone"):
            changed_by(small.target, given)


def test_a_node_without_fleet_cannot_be_rolled_back(small: Small) -> None:
    inventory, session = small.load().inventory, small.session(Watcher())

    with pytest.raises(FleetError, match="has nothing to roll back to; only halt is possible"):
        plan_remove(inventory, (), RolloutOptions(on_failure="rollback-all"), session)


def test_the_request_is_read_back_from_the_options_of_the_journal() -> None:
    options = RolloutOptions(keep_config=True, foreign="overwrite", to="x")

    removal = RemovalRequest(keep_config=True, overwrite=True)
    assert saved_request("remove", options, None) == removal
    assert saved_request("rollback", options, None) == UndoRequest(to="x")
