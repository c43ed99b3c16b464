"""The gates of a cluster in a driven rollout: when they are asked, and what their answers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.rollout.batches import Limit
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.state import GateDecided, NodeMoved, RolloutState, begin
from fleet.engine.driver import drive
from fleet.engine.hooks import DriverHooks, JournaledEvent, RolloutEnd
from fleet.engine.workers.base import LostWorkerError, ThreadPool
from tests.engine.test_driver import Nodes, Order

C, F, P = NodeStatus.CONVERGED, NodeStatus.FAILED, NodeStatus.PENDING
BAD = Failure(FailureKind.CLUSTER, Step.GATE, "the Node is not Ready", "repair the node")
BEFORE, AFTER = GateTime.BEFORE, GateTime.AFTER
THREE = (("a",), ("b", "c"))


@dataclass
class Gates:
    """Gates with scripted answers, which write down when they are asked."""

    answers: dict[tuple[GateTime, int], Any] = field(default_factory=dict)
    before: dict[str, Failure] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    node_seconds: float = 5

    def before_batch(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision | None:
        return self._answer(BEFORE, batch)

    def after_batch(self, batch: int, nodes: Mapping[str, NodeStatus]) -> GateDecision | None:
        return self._answer(AFTER, batch)

    def _answer(self, when: GateTime, batch: int) -> GateDecision | None:
        self.asked.append((when.value, batch))
        answer = self.answers.get((when, batch), GateDecision())
        if isinstance(answer, Exception):
            raise answer
        return answer

    def before_node(self, order: Any) -> Failure | None:
        self.passed.append(f"before {order.name}")
        return self.before.get(order.name)

    def after_node(self, order: Any, result: NodeOutcome | Failure) -> NodeOutcome | Failure:
        self.passed.append(f"after {order.name}")
        return result


@dataclass
class Driven:
    """The end of a driven rollout, and its events."""

    end: RolloutEnd
    events: list[JournaledEvent]

    @property
    def statuses(self) -> str:
        return " ".join(str(status) for status in self.end.state.nodes.values())

    def outcome(self, name: str) -> NodeOutcome:
        return [end for _, end in self.events if end is not None and end.node == name][-1]


def driven(
    gates: Gates | None,
    policy: Policy | None = None,
    *,
    state: RolloutState | None = None,
    nodes: Nodes | None = None,
    stopping: Any = lambda: False,
) -> Driven:
    nodes, state = nodes or Nodes(), state or begin(THREE, {})
    events: list[JournaledEvent] = []

    def record(entries: Sequence[JournaledEvent]) -> None:
        events.extend(entries)

    pool = ThreadPool(4)
    try:
        hooks = DriverHooks(
            record=record, pool=pool, stopping=stopping, gates=gates, work=nodes.functions
        )
        orders: Any = {name: Order(name) for name in state.nodes}
        return Driven(drive(state, policy or Policy(), orders, hooks), events)
    finally:
        pool.close()


def test_gates_are_asked_around_each_batch_and_each_node() -> None:
    gates = Gates()

    ended = driven(gates)

    assert ended.end.status == "finished"
    assert gates.asked == [("before", 0), ("after", 0), ("before", 1), ("after", 1)]
    assert gates.passed[:2] == ["before a", "after a"]
    assert sorted(gates.passed[2:]) == ["after b", "after c", "before b", "before c"]
    kinds = [
        (event.when, event.batch) for event, _ in ended.events if isinstance(event, GateDecided)
    ]
    assert kinds == [(BEFORE, 0), (AFTER, 0), (BEFORE, 1), (AFTER, 1)]


def test_a_held_node_fails_unchanged_and_its_lock_is_released_later() -> None:
    gates = Gates({(BEFORE, 1): GateDecision(held={"b": BAD}, excused=frozenset("b"))})

    ended = driven(gates)

    assert (ended.end.status, ended.statuses) == ("finished", "converged failed converged")
    assert "before b" not in gates.passed
    assert ended.outcome("b") == NodeOutcome(node="b", status=F, failure=BAD, held=True)
    assert ended.end.state.excused == {"b"}


def test_a_held_node_counts_against_the_budget_unless_it_is_excused() -> None:
    ended = driven(Gates({(BEFORE, 1): GateDecision(held={"b": BAD})}))

    assert (ended.end.status, ended.statuses) == ("halted", "converged failed pending")


def test_a_halt_touches_no_further_node_and_names_the_remedy() -> None:
    ended = driven(Gates({(BEFORE, 1): GateDecision(halt=BAD)}))

    assert ended.end.status == "halted"
    assert ended.end.reason == "the Node is not Ready; repair the node"
    assert ended.statuses == "converged pending pending"


@pytest.mark.parametrize(("budget", "status"), [(0, "halted"), (1, "finished")])
def test_a_flagged_node_counts_against_the_budget(budget: int, status: str) -> None:
    gates = Gates({(AFTER, 0): GateDecision(flagged={"a": BAD})})

    ended = driven(gates, Policy(budget))

    assert ended.end.status == status
    assert ended.end.state.nodes["a"] is C
    assert ended.end.state.flagged == {"a"}
    if status == "halted":
        assert ended.end.reason == (
            "1 node failed (a: at a gate after the change), --max-failures allows 0"
        )


def test_a_flagged_node_is_reverted_if_the_user_chose_that() -> None:
    gates = Gates({(AFTER, 0): GateDecision(flagged={"a": BAD})})

    ended = driven(gates, Policy(on_failure=OnFailure.ROLLBACK_ALL))

    assert ended.statuses == "rolled_back pending pending"


def test_unavailable_nodes_take_slots_of_max_unavailable() -> None:
    limits = (Limit(frozenset("abcx"), 2),)
    gates = Gates(
        {(BEFORE, batch): GateDecision(unavailable={"x": "NotReady"}) for batch in (0, 1)}
    )
    nodes = Nodes()

    ended = driven(gates, Policy(limits=limits), nodes=nodes)

    assert ended.end.status == "finished"
    second = [
        (event.node, event.status)
        for event, _ in ended.events
        if isinstance(event, NodeMoved) and event.node in "bc"
    ]
    first, running = second[-4][0], NodeStatus.RUNNING
    other = "c" if first == "b" else "b"
    assert second[-4:] == [(first, running), (first, C), (other, running), (other, C)]


def test_a_group_without_room_halts_and_names_what_is_down() -> None:
    limits = (Limit(frozenset("abcx"), 1),)

    ended = driven(
        Gates({(BEFORE, 1): GateDecision(unavailable={"x": "NotReady"})}), Policy(limits=limits)
    )

    assert ended.end.status == "halted"
    assert ended.end.reason == (
        "1 node unavailable: x (NotReady). The max_unavailable of their groups or of the control"
        " plane leaves no room for b, c. Repair what is down, then resume the rollout"
    )


def test_a_control_plane_node_that_is_not_ready_counts_against_the_control_plane() -> None:
    plane = ControlPlaneLimit(nodes=frozenset("bcx"))
    gates = Gates({(BEFORE, 1): GateDecision(unavailable={"x": "NotReady"})})

    ended = driven(gates, Policy(control_plane=plane))

    assert (ended.end.status, ended.statuses) == ("halted", "converged pending pending")
    assert ended.end.reason.startswith("1 node unavailable: x (NotReady).")


def test_a_node_that_is_unavailable_itself_needs_no_further_slot() -> None:
    limits = (Limit(frozenset("abc"), 1),)
    gates = Gates({(BEFORE, 1): GateDecision(unavailable={"b": "NotReady"})})

    ended = driven(gates, Policy(limits=limits))

    assert ended.statuses == "converged converged pending"


def test_a_node_that_has_recovered_since_makes_room_for_the_next_batch() -> None:
    limits = (Limit(frozenset("abc"), 1),)
    gates = Gates({(BEFORE, 0): GateDecision(unavailable={"a": "NotReady"})})

    ended = driven(gates, Policy(limits=limits))

    assert (ended.end.status, ended.statuses) == ("finished", "converged converged converged")
    assert gates.asked == [("before", 0), ("after", 0), ("before", 1), ("after", 1)]


def test_a_failure_before_a_node_leaves_it_unchanged_and_is_cleaned_up() -> None:
    nodes, gates = Nodes(), Gates(before={"a": BAD})

    ended = driven(gates, nodes=nodes)

    assert ended.end.state.nodes["a"] is F
    assert ended.outcome("a").failure == BAD
    assert ("a", NodeStatus.RUNNING) not in nodes.done
    assert gates.passed == ["before a", "after a"]


def test_a_bug_in_a_gate_halts() -> None:
    ended = driven(Gates({(BEFORE, 0): ZeroDivisionError("x")}))

    assert ended.end.status == "halted"
    assert ended.end.reason.startswith("bug in fleet: ZeroDivisionError")


def test_a_stop_while_a_gate_waits_interrupts() -> None:
    ended = driven(Gates({(AFTER, 1): None}))

    assert ended.end.status == "interrupted"
    assert ended.statuses == "converged converged converged"
    assert ended.end.state.judged == {0}


def test_the_gate_after_a_node_follows_a_dead_worker() -> None:
    nodes, gates = Nodes(), Gates()
    calls: list[str] = []

    class DyingPool(ThreadPool):
        def submit(self, work: Any, order: Any) -> Any:
            future = super().submit(work, order)
            if order.name == "a" and future.result().status is C and not calls:
                calls.append("died")
                failed: Any = type(future)()
                failed.set_running_or_notify_cancel()
                failed.set_exception(LostWorkerError("killed"))
                return failed
            return future

    pool = DyingPool(4)
    settled: Any = nodes.work(NodeStatus.RUNNING, NodeStatus.ROLLED_BACK)
    try:
        hooks = DriverHooks(
            record=lambda events: None,
            pool=pool,
            gates=gates,
            work=replace(nodes.functions, settle=settled),
        )
        state = begin((("a",),), {})
        orders: Any = {"a": SettledOrder("a")}
        ended = drive(state, Policy(), orders, hooks)
    finally:
        pool.close()

    assert ended.state.nodes["a"] is NodeStatus.ROLLED_BACK
    assert gates.passed == ["before a", "after a"]


@dataclass(frozen=True)
class SettledOrder(Order):
    """An order that can be settled after its worker died."""

    tries_left: bool = False
