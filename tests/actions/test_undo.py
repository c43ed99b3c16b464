"""An undo: the rollout that it takes back, and the nodes on which it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.actions.options import RolloutOptions
from fleet.actions.undo import changed_by, plan_undo, undo
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.errors import FleetError, NothingToDoError
from fleet.node.converge import converge
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher


def test_the_last_rollout_that_changed_something_is_meant(small: Small) -> None:
    small.pool.ends[converge, "b"] = NodeOutcome(node="b", status=NodeStatus.ROLLED_BACK)
    first = small.rollout(Watcher(), max_failures="3")
    for name in "abc":
        small.pool.ends[converge, name] = NodeOutcome(node=name, status=NodeStatus.FAILED)
    second = small.rollout(Watcher(), max_failures="3")

    for given in (None, "last", first.rollout):
        record, changed = changed_by(small.target, given)
        assert (record.id, changed) == (first.rollout, ["a", "c"])
    with pytest.raises(
        NothingToDoError, match=f"nothing to undo: rollout {second.rollout} has no change"
    ):
        changed_by(small.target, second.rollout)


def test_a_journal_without_a_change_has_nothing_to_undo(small: Small) -> None:
    with pytest.raises(FleetError, match="there is no journal"):
        changed_by(small.target, None)

    small.target.open(Watcher())
    with pytest.raises(NothingToDoError, match="no rollout in the journal has a change in force"):
        changed_by(small.target, None)


def test_only_nodes_that_it_changed_are_asked(small: Small) -> None:
    small.pool.ends[converge, "b"] = NodeOutcome(node="b", status=NodeStatus.FAILED)
    rollout = small.rollout(Watcher(), max_failures="3").rollout
    small.pool.done.clear()
    inventory, watcher = small.load().inventory, Watcher()

    result = undo(
        inventory, inventory.nodes, RolloutOptions(), small.session(watcher), small.target
    )

    assert small.pool.done == [("probe", "a"), ("probe", "c")]
    assert {name: outcome.status for name, outcome in result.outcomes.items()} == {
        "a": NodeStatus.UNCHANGED,
        "c": NodeStatus.UNCHANGED,
    }
    assert (result.kind, result.status) == ("undo", "finished")
    options = RolloutOptions(undoes=rollout)
    plans = plan_undo(inventory, inventory.nodes, options, small.session(watcher), small.target)
    assert plans[0].notes[0] == f"nothing to undo: rollout {rollout} has saved nothing on this node"


def test_nodes_that_have_left_the_inventory_are_named(small: Small) -> None:
    small.rollout(Watcher())
    inventory, watcher = small.load().inventory, Watcher()
    fewer = replace(inventory, nodes=tuple(node for node in inventory.nodes if node.name != "c"))

    plan_undo(fewer, fewer.nodes, RolloutOptions(), small.session(watcher), small.target)

    assert any(line.startswith("c: changed by ") for line in watcher.shown)
    none = tuple(node for node in inventory.nodes if node.name == "x")
    with pytest.raises(NothingToDoError, match=r"has changed none of these nodes, but a,b,c"):
        plan_undo(inventory, none, RolloutOptions(), small.session(watcher), small.target)


def test_a_registry_that_no_node_has_is_refused(small: Small) -> None:
    small.rollout(Watcher())
    inventory, watcher = small.load().inventory, Watcher()
    options = RolloutOptions(registry="qauy.io")

    with pytest.raises(FleetError, match=r'no node has or had settings for "qauy.io"'):
        undo(inventory, inventory.nodes, options, small.session(watcher), small.target)
