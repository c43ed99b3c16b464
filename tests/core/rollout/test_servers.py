"""Simulated clusters of 3 and 5 servers: one is in flight at a time, and the quorum stays."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.core.model.etcd import Etcd, EtcdMember, EtcdState, quorum_problem
from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import cut_batches, parse_batches
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.policy import OnFailure, Policy
from fleet.core.rollout.state import Move, RolloutState, begin
from fleet.engine.hooks import DriverHooks
from fleet.engine.plane_checks import PlaneChecks
from tests.core.rollout.test_control_plane import Nodes

DOWN = {NodeStatus.RUNNING, NodeStatus.REVERTING}


class Servers(Nodes):
    """Nodes of which some have a member of etcd, which restarts with the node's containerd.

    A member is late after its node has ended, and some members do not come back.
    """

    def __init__(self, chance: random.Random, policy: Policy, state: RolloutState) -> None:
        super().__init__(chance, policy, state)
        self.late: set[str] = set()
        self.broken: set[str] = set()
        self.checks = self.new_checks()

    def new_checks(self) -> PlaneChecks:
        """Return the checks of one run; they do not touch the pool and the journal."""
        hooks = DriverHooks(record=None, pool=None, check_quorum=self.ask)  # type: ignore[arg-type]
        return PlaneChecks(hooks)

    def ask(
        self, names: Sequence[str], nodes: Mapping[str, NodeStatus], limit: ControlPlaneLimit
    ) -> str:
        """Wait for members that are late, and return the problem as the real check does."""
        del nodes
        self.late.clear()
        members = [EtcdMember(name, name not in self.broken) for name in sorted(limit.nodes)]
        taken = sum(name not in self.broken for name in names)
        return quorum_problem(Etcd(EtcdState.LISTED, tuple(members)), taken)

    def prepared(self, move: Move) -> bool:
        check = self.checks.due(move, self.policy.control_plane)
        if check is None:
            return True
        self.policy = replace(self.policy, control_plane=check(self.state.nodes))
        self.restart_scheduler()
        return False

    def serving(self) -> set[str]:
        """Return the servers whose member is up."""
        flying = {name for name, status in self.flying.items() if status in DOWN}
        return set(self.policy.control_plane.nodes) - flying - self.late - self.broken

    def start(self, names: tuple[str, ...], status: NodeStatus) -> None:
        before = len(self.serving())
        super().start(names, status)
        servers = self.policy.control_plane.nodes
        assert sum(name in servers for name in self.flying if self.flying[name] in DOWN) <= 1
        if len(self.serving()) < before:
            assert len(self.serving()) > len(servers) // 2

    def end_one(self) -> None:
        flying = {name for name, status in self.flying.items() if status in DOWN}
        super().end_one()
        for name in flying - set(self.flying) & self.policy.control_plane.nodes:
            self.leave(name)

    def leave(self, name: str) -> None:
        """Let the member of a server that has ended be late, or never come back."""
        (self.broken if self.chance.random() < 0.2 else self.late).add(name)

    def crash(self) -> None:
        for name, status in self.flying.items():
            if status in DOWN and name in self.policy.control_plane.nodes:
                self.leave(name)
        limit = replace(self.policy.control_plane, no_quorum="")
        self.policy = replace(self.policy, control_plane=limit)
        super().crash()
        self.checks = self.new_checks()


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    servers=st.sampled_from((3, 5)),
    agents=st.integers(0, 100),
    sizes=st.sampled_from(("1,25%", "100%", "1", "2", "3,50%", "10%", "1,10%,25%", "40")),
    on_failure=st.sampled_from(list(OnFailure)),
    pause=st.sampled_from((0, 1)),
    budget=st.sampled_from((0, 1, 100)),
)
def test_one_server_is_in_flight_and_etcd_keeps_its_quorum(
    *,
    seed: int,
    servers: int,
    agents: int,
    sizes: str,
    on_failure: OnFailure,
    pause: int,
    budget: int,
) -> None:
    """In every order of the inventory and of the ends, with failures, reverts and resumes."""
    chance = random.Random(seed)
    plane = frozenset(f"server{number}" for number in range(servers))
    names = [*sorted(plane), *(f"agent{number}" for number in range(agents))]
    chance.shuffle(names)
    policy = Policy(
        budget,
        on_failure=on_failure,
        pause=pause,
        parallel=chance.choice((1, 4, 64)),
        control_plane=ControlPlaneLimit(plane),
    )
    batches = cut_batches(names, parse_batches(sizes), plane)

    Servers(chance, policy, begin(batches, {})).run()

    assert all(len(plane & set(batch)) <= 1 for batch in batches)
