"""The control plane's limit: what the inventory may say of it, and random schedules as a law."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import cut_batches, parse_batches
from fleet.core.rollout.control_plane import (
    Availability,
    ControlPlaneLimit,
    assumed,
    control_plane_limit,
)
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.scheduler import Scheduler, next_move
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Check,
    Event,
    Finish,
    Halt,
    Launch,
    Move,
    NodeMoved,
    Revert,
    RolloutState,
    Soak,
    Stage,
    Wait,
    begin,
    replay,
)

PLANE, WORKERS = ("s1", "s2", "s3"), tuple(f"w{number}" for number in range(1, 6))
SERVER = Availability(("process etcd",))


def inventory(groups: dict[str, tuple[tuple[str, ...], str | None]]) -> Inventory:
    """Return nodes in groups, each with what the group says of max_unavailable."""
    names = (*PLANE, *WORKERS)
    nodes = tuple(
        Node(
            name=name,
            host=name,
            groups=tuple(key for key, each in groups.items() if name in each[0]),
        )
        for name in names
    )
    made = {key: Group(key, members, (), most) for key, (members, most) in groups.items()}
    return Inventory(nodes, made)


SAID = {
    "nothing": ({}, 1),
    "a number for the control plane": ({"cp": (PLANE, "2")}, 2),
    "one for the control plane": ({"cp": (PLANE, "1")}, 1),
    "a percentage for the control plane": ({"cp": (PLANE, "100%")}, 1),
    "a number for all nodes": ({"all": ((*PLANE, *WORKERS), "5")}, 1),
    "a percentage for all nodes": ({"all": ((*PLANE, *WORKERS), "25%")}, 1),
    "a number for a mixed group": ({"site": (("s1", "s2", "s3", "w1"), "3")}, 1),
    "a number for some of the control plane": ({"cp": (("s1", "s2"), "2")}, 1),
    "the smallest of two": ({"a": (PLANE, "3"), "b": (PLANE, "2")}, 2),
}


@pytest.mark.parametrize(("groups", "most"), SAID.values(), ids=SAID)
def test_only_a_number_for_the_control_plane_alone_loosens_it(
    groups: dict[str, tuple[tuple[str, ...], str | None]], most: int
) -> None:
    asked = dict.fromkeys(PLANE, SERVER) | dict.fromkeys(WORKERS, Availability())

    made = control_plane_limit(inventory(groups), asked, "r")

    assert (made.nodes, made.most) == (frozenset(PLANE), most)


DOWN = {
    "well": (SERVER, ""),
    "ill": (Availability(("x",), unhealthy="k3s is failed/failed"), "k3s is failed/failed"),
    "unconfirmed": (Availability(("x",), pending="g"), "change g is unconfirmed"),
    "held by another rollout": (Availability(("x",), holder="other"), "locked by rollout other"),
    "held by this rollout": (Availability(("x",), holder="r"), ""),
}


@pytest.mark.parametrize(("asked", "why"), DOWN.values(), ids=DOWN)
def test_what_counts_as_unavailable(asked: Availability, why: str) -> None:
    assert control_plane_limit(inventory({}), {"s1": asked}, "r").down == (
        {"s1": why} if why else {}
    )


def test_a_node_that_does_not_answer_is_what_its_groups_say() -> None:
    names = {"kube_control_plane": True, "control-plane": True, "workers": False, "servers": False}
    nodes = {name: Node(name="n", host="n", groups=(name, "all")) for name in names}

    assert {name: bool(assumed(node).control_plane) for name, node in nodes.items()} == names


def test_three_servers_and_seventeen_agents_have_one_server_in_each_batch() -> None:
    names = (*PLANE, *(f"a{number}" for number in range(1, 18)))

    batches = cut_batches(names, parse_batches("1,25%"), PLANE)

    assert [len(set(batch) & set(PLANE)) for batch in batches] == [1, 1, 1, 0, 0]
    assert sorted(name for batch in batches for name in batch) == sorted(names)
    assert batches[1] == ("s2", "a1", "a2", "a3", "a4")


HALTS = {
    "unreachable": (
        NodeStatus.UNREACHABLE,
        {},
        "unavailable: s1 (unreachable). So s2, s3 must",
    ),
    "down before": (NodeStatus.UNCHANGED, {"s1": "ill"}, "unavailable: s1 (ill). So s2, s3"),
    "not among the nodes": (NodeStatus.CONVERGED, {"x": "away"}, "unavailable: x (away). So"),
}


@pytest.mark.parametrize(("status", "down", "told"), HALTS.values(), ids=HALTS)
def test_while_one_is_down_no_other_is_started(
    status: NodeStatus, down: dict[str, str], told: str
) -> None:
    state = begin((("s1",), ("s2", "s3")), {})
    staged = [NodeMoved(name, NodeStatus.STAGED) for name in ("s2", "s3")]
    policy = Policy(9, control_plane=ControlPlaneLimit(frozenset((*PLANE, *down)), 1, down))

    move = next_move(replay(state, [NodeMoved("s1", status), *staged]), policy)

    assert isinstance(move, Halt)
    assert told in move.reason


class Nodes:
    """A cluster on which a rollout's moves are carried out in any order, with crashes between."""

    def __init__(self, chance: random.Random, policy: Policy, state: RolloutState) -> None:
        self.chance, self.policy = chance, policy
        self.state, self.progress = state, Scheduler(state, policy)
        self.flying: dict[str, NodeStatus] = {}

    def unavailable(self) -> set[str]:
        """Return the control plane nodes that are down or in flight, counted on their own."""
        plane, lost = self.policy.control_plane, {NodeStatus.UNREACHABLE, NodeStatus.DEGRADED}
        through = {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK}
        found = {n for n, each in self.flying.items() if each is not NodeStatus.STAGING}
        found |= {n for n, each in self.state.nodes.items() if each in lost}
        found |= {n for n in plane.down if self.state.nodes.get(n) not in through}
        return found & plane.nodes

    def unproven(self) -> set[str]:
        """Return the control plane nodes that converged and were not rechecked after the pause."""
        converged = {n for n, s in self.state.nodes.items() if s is NodeStatus.CONVERGED}
        owes = converged - self.state.checked if self.policy.pause else set()
        return owes & self.policy.control_plane.nodes

    def tell(self, *events: Event) -> None:
        self.state = replay(self.state, events)
        for event in events:
            self.progress.advance(event)

    def start(self, names: tuple[str, ...], status: NodeStatus) -> None:
        for name in names:
            others = self.unavailable() - {name}
            flying = {n for n, each in self.flying.items() if each is not NodeStatus.STAGING}
            if name in self.policy.control_plane.nodes and status is not NodeStatus.STAGING:
                most = self.policy.control_plane.most
                assert len(flying & self.policy.control_plane.nodes) < most
                down = name in self.policy.control_plane.down and status is NodeStatus.RUNNING
                if not down and status is not NodeStatus.CHECKING:
                    assert len(others) < most
                if not down and status is NodeStatus.RUNNING:
                    assert len(others | self.unproven()) < most
            self.flying[name] = status
            self.tell(NodeMoved(name, status))

    def end_one(self) -> None:
        name = self.chance.choice(sorted(self.flying))
        before = self.flying.pop(name)
        good = {
            NodeStatus.STAGING: NodeStatus.STAGED,
            NodeStatus.RUNNING: NodeStatus.CONVERGED,
            NodeStatus.CHECKING: NodeStatus.CONVERGED,
            NodeStatus.REVERTING: NodeStatus.ROLLED_BACK,
        }[before]
        bad = [NodeStatus.FAILED, NodeStatus.UNREACHABLE, NodeStatus.STALE]
        if before is not NodeStatus.STAGING:
            bad = [NodeStatus.ROLLED_BACK, NodeStatus.UNREACHABLE, NodeStatus.DEGRADED]
        self.tell(NodeMoved(name, good if self.chance.random() < 0.8 else self.chance.choice(bad)))

    def crash(self) -> None:
        """Kill the run: the next one settles what was in flight, and stages the rest anew."""
        for name, status in self.flying.items():
            ends = (NodeStatus.PENDING, NodeStatus.CONVERGED, NodeStatus.UNREACHABLE)
            end = NodeStatus.PENDING if status is NodeStatus.STAGING else self.chance.choice(ends)
            self.state = replay(self.state, [NodeMoved(name, end)])
        self.flying.clear()
        staged = self.state.at(NodeStatus.STAGED)
        self.state = replay(self.state, [NodeMoved(n, NodeStatus.PENDING) for n in staged])
        self.restart_scheduler()

    def restart_scheduler(self) -> None:
        self.progress = Scheduler(self.state, self.policy)

    def prepared(self, move: Move) -> bool:
        """Return whether the move may be made; a check may have changed the policy instead."""
        del move
        return True

    def next_move(self) -> Move:
        """Return the scheduler's next move that may be made."""
        while not self.prepared(move := self.progress.next_move()):
            pass
        return move

    def run(self) -> None:
        """Carry moves out until the rollout ends; one that waits for nothing fails."""
        for _ in range(60 + 90 * len(self.state.nodes)):
            if self.chance.random() < 0.01:
                self.crash()
            match self.next_move():
                case Stage(names):
                    self.start(names, NodeStatus.STAGING)
                case Launch(names, number):
                    self.tell(BatchBegun(number))
                    self.start(names, NodeStatus.RUNNING)
                case Soak(number):
                    self.tell(BatchSoaked(number))
                case Check(names):
                    self.start(names, NodeStatus.CHECKING)
                case Revert(names):
                    self.start(names, NodeStatus.REVERTING)
                case Wait():
                    assert self.flying, "waits for nothing"
                    self.end_one()
                case Halt() | Finish():
                    assert not self.flying
                    return
        pytest.fail("it went on and on")


@settings(max_examples=3000, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    most=st.sampled_from((1, 1, 1, 2)),
    sizes=st.sampled_from(("1,25%", "100%", "2", "4,1")),
    plane=st.sets(st.sampled_from((*PLANE, *WORKERS)), min_size=1),
    down=st.sets(st.sampled_from((*PLANE, *WORKERS, "x")), max_size=2),
    on_failure=st.sampled_from(list(OnFailure)),
    pause=st.sampled_from((0, 1)),
    cut=st.booleans(),
)
def test_two_of_the_control_plane_are_never_unavailable_together(
    *,
    seed: int,
    most: int,
    sizes: str,
    plane: set[str],
    down: set[str],
    on_failure: OnFailure,
    pause: int,
    cut: bool,
) -> None:
    """Whatever the batches, the failures, the order in which nodes end, and the crashes are."""
    chance = random.Random(seed)
    limit = ControlPlaneLimit(
        frozenset(plane | (down & {"x"})), most, dict.fromkeys(sorted(down), "ill")
    )
    limit = ControlPlaneLimit(
        limit.nodes, most, {n: why for n, why in limit.down.items() if n in limit.nodes}
    )
    policy = Policy(
        chance.choice((0, 1, 9)),
        on_failure=on_failure,
        pause=pause,
        parallel=chance.choice((1, 3, 64)),
        control_plane=limit,
    )
    apart = limit.nodes if cut else ()
    batches = cut_batches((*PLANE, *WORKERS), parse_batches(sizes), apart, most)

    Nodes(chance, policy, begin(batches, {})).run()


def test_a_control_plane_node_that_a_rollback_leaves_ill_takes_the_place() -> None:
    limit = ControlPlaneLimit(frozenset({"a", "b"}), 1, ends_unhealthy=frozenset({"a"}))

    assert limit.takes("a", NodeStatus.CONVERGED)
    assert not limit.takes("a", NodeStatus.ROLLED_BACK)
    assert not limit.takes("a", NodeStatus.PENDING)
    assert not limit.takes("b", NodeStatus.CONVERGED)
