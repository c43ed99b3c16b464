"""The loop around the state machine: journal before act, stuck workers, a wish to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.core.failure import FailureKind, Step
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.batches import cut_batches, parse_batches
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.state import Event, NodeMoved, begin
from fleet.engine.driver import drive
from fleet.engine.hooks import DriverHooks, JournaledEvent, QuorumHook, RolloutEnd
from fleet.engine.node_work import NodeWork
from fleet.engine.workers.base import ThreadPool
from fleet.errors import JournalError

C, P = NodeStatus.CONVERGED, NodeStatus.PENDING


@dataclass(frozen=True)
class Order:
    """All that the loop itself reads of an order."""

    name: str
    seconds: float = 30
    staging: float = 30

    @property
    def node(self) -> Node:
        return Node(name=self.name, host=self.name)


class Nodes:
    """Stands in for the passes on nodes; the end-to-end tests have real ones."""

    def __init__(self) -> None:
        self.hangs: dict[tuple[str, NodeStatus], threading.Event] = {}
        self.done: list[tuple[str, NodeStatus]] = []
        self.raises: set[str] = set()

    def work(self, status: NodeStatus, end: NodeStatus) -> Callable[[Order], NodeOutcome]:
        def pass_over(order: Order) -> NodeOutcome:
            self.done.append((order.name, status))
            if order.name in self.raises:
                raise ZeroDivisionError
            if (event := self.hangs.get((order.name, status))) is not None:
                event.wait(20)
            return NodeOutcome(node=order.name, status=end)

        return pass_over

    @property
    def functions(self) -> NodeWork:
        """Return the work for a driver."""
        work: Any = self.work
        return NodeWork(
            stage=work(NodeStatus.STAGING, NodeStatus.STAGED),
            activate=work(NodeStatus.RUNNING, C),
            recheck=work(NodeStatus.CHECKING, C),
            revert=work(NodeStatus.REVERTING, NodeStatus.ROLLED_BACK),
            release=work(P, P),
        )


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    for event in nodes.hangs.values():
        event.set()


def driven(
    nodes: Nodes,
    names: str,
    *,
    orders: dict[str, Order] | None = None,
    record: Callable[[Event, NodeOutcome | None], None] = lambda event, outcome: None,
    stopping: Callable[[], bool] = lambda: False,
    budget: int = 0,
    plane: str = "",
    ask_plane: Callable[[Mapping[str, NodeStatus]], ControlPlaneLimit] | None = None,
    ask_quorum: QuorumHook | None = None,
) -> RolloutEnd:
    state = begin(cut_batches(names, parse_batches("1,2")), {})
    mine = {name: Order(name) for name in names} | (orders or {})

    def record_all(told: Sequence[JournaledEvent]) -> None:
        for event, outcome in told:
            record(event, outcome)

    pool = ThreadPool(4)
    try:
        policy = Policy(budget, control_plane=ControlPlaneLimit(frozenset(plane)))
        hooks = DriverHooks(
            record=record_all,
            pool=pool,
            stopping=stopping,
            check_plane=ask_plane,
            check_quorum=ask_quorum,
            work=nodes.functions,
        )
        return drive(state, policy, mine, hooks)
    finally:
        pool.close()


def test_all_are_staged_before_the_first_is_activated(nodes: Nodes) -> None:
    ended = driven(nodes, "abc")

    assert (ended.status, ended.stuck) == ("finished", False)
    assert set(ended.state.nodes.values()) == {C}
    assert {name for name, status in nodes.done[:3]} == set("abc")
    assert [status for _, status in nodes.done[:3]] == [NodeStatus.STAGING] * 3


def test_what_the_journal_does_not_take_is_not_done(nodes: Nodes) -> None:
    def record(event: Event, outcome: NodeOutcome | None) -> None:
        if event == NodeMoved("b", NodeStatus.RUNNING):
            raise JournalError("the disk is full")

    ended = driven(nodes, "abc", record=record)

    assert (ended.status, ended.reason) == ("halted", "the disk is full")
    assert ("b", NodeStatus.RUNNING) not in nodes.done
    assert ended.state.nodes["a"] is C
    assert [name for name, status in nodes.done if status is P] == ["b", "c"]


def test_an_outcome_counts_even_if_the_journal_is_full_by_then(nodes: Nodes) -> None:
    def record(event: Event, outcome: NodeOutcome | None) -> None:
        if outcome is not None and outcome.status is C:
            raise JournalError("the disk is full")

    ended = driven(nodes, "abc", record=record)

    assert (ended.status, ended.state.nodes["a"]) == ("halted", C)
    assert ("b", NodeStatus.RUNNING) not in nodes.done


def test_a_stuck_worker_does_not_hold_the_others(nodes: Nodes) -> None:
    nodes.hangs["a", NodeStatus.RUNNING] = threading.Event()
    told: list[NodeOutcome] = []
    began = time.monotonic()

    ended = driven(
        nodes,
        "abc",
        orders={"a": Order("a", seconds=0.3)},
        record=lambda event, outcome: told.append(outcome) if outcome else None,
        budget=1,
    )

    assert time.monotonic() - began < 10
    assert (ended.status, ended.stuck) == ("finished", True)
    assert ended.state.nodes == {"a": NodeStatus.UNREACHABLE, "b": C, "c": C}
    failure = next(each.failure for each in told if each.node == "a" and each.failure)
    assert (failure.kind, failure.step) == (FailureKind.TIMEOUT, Step.SETTLE)


def test_a_worker_stuck_in_staging_leaves_its_node_untouched(nodes: Nodes) -> None:
    nodes.hangs["b", NodeStatus.STAGING] = threading.Event()

    ended = driven(nodes, "abc", orders={"b": Order("b", staging=0.3)})

    assert (ended.status, ended.stuck) == ("halted", True)
    assert ended.state.nodes == {"a": P, "b": NodeStatus.FAILED, "c": P}


def test_a_bug_in_a_worker_halts_since_nobody_knows_the_node(nodes: Nodes) -> None:
    state = {"a": C, "b": NodeStatus.DEGRADED, "c": C}

    def record(event: Event, outcome: NodeOutcome | None) -> None:
        if event == NodeMoved("b", NodeStatus.RUNNING):
            nodes.raises.add("b")

    ended = driven(nodes, "abcd", record=record)

    assert ended.status == "halted"
    assert ended.state.nodes == {**state, "d": P}


def test_a_wish_to_stop_lets_the_batch_finish(nodes: Nodes) -> None:
    ended = driven(nodes, "abcd", stopping=lambda: ("a", NodeStatus.RUNNING) in nodes.done)

    assert (ended.status, ended.reason) == ("interrupted", "stopped before the next batch")
    assert ended.state.nodes == {"a": C, "b": P, "c": P, "d": P}
    assert sorted(name for name, status in nodes.done if status is P) == ["b", "c", "d"]


def test_the_control_plane_is_asked_once_when_its_first_node_is_about_to_be_activated(
    nodes: Nodes,
) -> None:
    asked: list[dict[str, NodeStatus]] = []

    def ask(states: Mapping[str, NodeStatus]) -> ControlPlaneLimit:
        asked.append(dict(states))
        return ControlPlaneLimit(frozenset("bc"))

    ended = driven(nodes, "abc", plane="bc", ask_plane=ask)
    workers = driven(nodes, "abc", plane="x", ask_plane=ask)

    staged = NodeStatus.STAGED
    assert asked == [{"a": C, "b": staged, "c": staged}]
    assert (ended.status, workers.status) == ("finished", "finished")


def test_a_server_that_is_down_outside_the_rollout_keeps_the_others_up(nodes: Nodes) -> None:
    limit = ControlPlaneLimit(frozenset("bcx"), down={"x": "no answer"})

    ended = driven(nodes, "abc", plane="bc", ask_plane=lambda _: limit)

    assert ended.status == "halted"
    assert ended.reason.startswith("1 control plane node unavailable: x (no answer)")
    assert ended.state.nodes == {"a": C, "b": P, "c": P}
    assert sorted(name for name, status in nodes.done if status is P) == ["b", "c"]


def test_what_looked_down_at_the_survey_is_asked_before_the_rollout_halts(nodes: Nodes) -> None:
    state = begin((("a", "b"),), {"x": NodeStatus.UNREACHABLE})
    orders: dict[str, Any] = {name: Order(name) for name in "ab"}
    before = ControlPlaneLimit(frozenset("abx"), down={"x": "no answer"})
    after = ControlPlaneLimit(frozenset("abx"), known={"x": True})
    pool = ThreadPool(4)
    hooks = DriverHooks(
        record=lambda _: None, pool=pool, check_plane=lambda _: after, work=nodes.functions
    )

    ended = drive(state, Policy(1, control_plane=before), orders, hooks)
    pool.close()

    assert ended.status == "finished"
    assert ended.state.nodes == {"a": C, "b": C, "x": NodeStatus.UNREACHABLE}


def test_an_answer_that_the_journal_does_not_take_changes_nothing(nodes: Nodes) -> None:
    def ask(states: Mapping[str, NodeStatus]) -> ControlPlaneLimit:
        raise JournalError("the disk is full")

    ended = driven(nodes, "abc", plane="bc", ask_plane=ask)

    assert (ended.status, ended.reason) == ("halted", "the disk is full")
    assert ended.state.nodes == {"a": C, "b": P, "c": P}
