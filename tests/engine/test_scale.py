"""Thousands of nodes: what a rollout costs grows as they do, and the journal is written in groups.

Workers are a pool that has done all work by the time it is asked about; the loop, the reducer and
the journal are the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from fleet.core.history.replay import replay_journal
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.batches import Limit, cut_batches, parse_batches
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.state import BatchBegun, NodeMoved, begin
from fleet.engine.driver import drive
from fleet.engine.hooks import DriverHooks, JournaledEvent, RolloutEnd
from fleet.journal import Journal
from fleet.node.converge import converge
from fleet.node.revert import revert
from fleet.node.stage import release, stage

ENDS = {
    stage: NodeStatus.STAGED,
    converge: NodeStatus.CONVERGED,
    revert: NodeStatus.ROLLED_BACK,
    release: NodeStatus.PENDING,
}


@dataclass(frozen=True)
class Order:
    """All that the loop itself reads of an order."""

    node: Node
    seconds: float = 30
    staging: float = 30


class Done:
    """A pool whose work is always done; nodes in `bad` roll back."""

    parallel, most_changes, keeps_connections = 64, 64, False

    def __init__(self, bad: frozenset[str] = frozenset()) -> None:
        self.bad = bad

    def submit(self, work: Callable[..., Any], order: Any) -> Future[Any]:
        future: Future[Any] = Future()
        status = ENDS[work]
        if work is converge and order.node.name in self.bad:
            status = NodeStatus.ROLLED_BACK
        future.set_result(NodeOutcome(node=order.node.name, status=status))
        return future

    def close(self) -> None:
        pass


def driven(
    count: int,
    record: Callable[[Sequence[JournaledEvent]], None],
    *,
    bad: frozenset[str] = frozenset(),
    policy: Policy | None = None,
) -> RolloutEnd:
    names = [f"n{number}" for number in range(count)]
    limits = tuple(Limit(frozenset(names[start::3]), 20) for start in range(3))
    state = begin(cut_batches(names, parse_batches("1,10%,25%")), {})
    orders = {name: Order(Node(name=name, host=name)) for name in names}
    hooks = DriverHooks(record=record, pool=Done(bad))
    return drive(state, policy or Policy(limits=limits), orders, hooks)  # type: ignore[arg-type]


def test_five_thousand_nodes_are_a_few_hundred_writes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.begin("r", "t", {})
    writes: list[int] = []

    def record(told: Sequence[JournaledEvent]) -> None:
        writes.append(len(told))
        rows: list[tuple[str, str | None, dict[str, Any]]] = [
            ("moved", event.node, {"status": str(event.status)})
            if isinstance(event, NodeMoved)
            else ("batch", None, {"number": event.batch + 1})
            for event, _ in told
        ]
        journal.append_all("r", "t", rows)

    ended = driven(5000, record)
    story = replay_journal(ended.state.batches, journal.entries("r"))

    assert ended.status == "finished"
    assert set(ended.state.nodes.values()) == {NodeStatus.CONVERGED}
    assert (story.state.nodes, story.state.begun) == (ended.state.nodes, ended.state.begun)
    assert sum(writes) == 5000 * 4 + len(ended.state.batches)
    assert len(writes) < 300


def steps(run: Callable[[], object]) -> int:
    """Count the steps of Python's own machine that a call takes."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        del arg
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


COSTS = {
    "a rollout": lambda count: driven(count, lambda told: None),
    "a way back of all": lambda count: driven(
        count,
        lambda told: None,
        bad=frozenset({f"n{count - 2}"}),
        policy=Policy(0, on_failure=OnFailure.ROLLBACK_ALL),
    ),
    "one node after the other": lambda count: driven(
        count, lambda told: None, policy=Policy(0, parallel=1)
    ),
}


@pytest.mark.parametrize("run", COSTS.values(), ids=COSTS)
def test_four_times_the_nodes_cost_four_times_as_much(run: Callable[[int], RolloutEnd]) -> None:
    small, large = (steps(lambda count=count: run(count)) for count in (150, 600))

    assert large < 4.4 * small


def test_a_batch_is_begun_in_one_write_with_its_first_nodes() -> None:
    groups: list[Sequence[JournaledEvent]] = []

    driven(40, groups.append)

    begun = [[event for event, _ in group] for group in groups]
    first = next(group for group in begun if BatchBegun(1) in group)
    assert NodeMoved("n1", NodeStatus.RUNNING) in first
    assert NodeMoved("n4", NodeStatus.RUNNING) in first
