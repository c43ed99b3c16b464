"""The control plane check: which nodes are asked, and what their answers make of the limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.facts import NodeFacts
from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.model.pending import Pending
from fleet.core.rollout.control_plane import Availability
from fleet.engine.control_plane import ControlPlaneCheck, PlaneAnswer
from fleet.node.work_order import Access
from tests.node.record import ANSWERS
from tests.node.test_probe import facts_of


def with_role(facts: NodeFacts, *evidence: str) -> NodeFacts:
    return replace(facts, machine=replace(facts.machine, control_plane=evidence))


WELL = with_role(facts_of((ANSWERS / "trixie.txt").read_text()), "process etcd")
DEAD = replace(WELL.daemon.unit, active="inactive", sub="dead")
STOPPED = replace(WELL, daemon=replace(WELL.daemon, unit=DEAD))
AWAY = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out (10 s)", "wait")
SERVER = Availability(("process etcd",))
NAMES = ("s1", "s2", "s3", "w1", "w2")
INVENTORY = Inventory(tuple(Node(name=name, host=name) for name in NAMES), {})


@dataclass
class Answers:
    """A worker pool whose work is done: it returns each node's facts, and notes who was asked."""

    facts: Mapping[str, object]
    parallel: int = 4
    most_changes: int = 4
    keeps_connections: bool = False
    asked: list[str] = field(default_factory=list)

    def submit(self, work: Callable[[Any], Any], order: Any) -> Future[Any]:
        del work
        self.asked.append(order.node.name)
        future: Future[Any] = Future()
        future.set_result(self.facts[order.node.name])
        return future

    def close(self) -> None:
        """Close nothing."""


def check(
    pool: Answers,
    surveyed: dict[str, Availability],
    roles: dict[str, tuple[str, ...]],
    inventory: Inventory = INVENTORY,
    record: Callable[[Mapping[str, PlaneAnswer]], None] = lambda _: None,
) -> ControlPlaneCheck:
    return ControlPlaneCheck(
        inventory=inventory,
        rollout="r",
        access=Access(),
        pool=pool,
        surveyed=surveyed,
        roles=lambda: roles,
        record=record,
    )


STAGED, FAILED, UNCHANGED = NodeStatus.STAGED, NodeStatus.FAILED, NodeStatus.UNCHANGED
WORKERS: dict[str, tuple[str, ...]] = {"w1": (), "w2": ()}
ASKED = {
    "nobody, where all servers are held": (
        dict.fromkeys(("s1", "s2", "s3"), STAGED), WORKERS, set(),
    ),
    "servers that the journal remembers": (
        {"s1": STAGED}, {**WORKERS, "s2": ("process etcd",), "s3": ("x",)}, {"s2", "s3"},
    ),
    "nodes that nobody has seen yet": ({"s1": STAGED, "w1": STAGED}, {}, {"s2", "s3", "w2"}),
    "a server that was not staged": ({"s1": STAGED, "s2": FAILED}, {**WORKERS, "s3": ()}, {"s2"}),
    "a server with nothing to change": (
        {"s1": STAGED, "s2": UNCHANGED, "w1": FAILED}, {**WORKERS, "s3": ()}, {"s2"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "roles", "asked"), ASKED.values(), ids=ASKED)
def test_servers_that_the_rollout_does_not_hold_are_asked(
    nodes: dict[str, NodeStatus], roles: dict[str, tuple[str, ...]], asked: set[str]
) -> None:
    pool = Answers(dict.fromkeys(NAMES, WELL))
    surveyed = {name: SERVER if name[0] == "s" else Availability() for name in nodes}

    check(pool, surveyed, roles)(nodes)

    assert set(pool.asked) == asked
    assert len(pool.asked) == len(asked)


def test_a_group_s_name_beats_a_journal_that_remembers_a_worker() -> None:
    nodes = tuple(Node(name=n, host=n, groups=("etcd",) if n == "s2" else ()) for n in ("s1", "s2"))
    pool = Answers({"s2": WELL})

    check(pool, {"s1": SERVER}, {"s2": ()}, Inventory(nodes, {}))({"s1": STAGED})

    assert pool.asked == ["s2"]


LOCKED = replace(WELL, lock="other\nops\n")
MINE = replace(WELL, lock="r\nops\n")
PENDING = replace(WELL, pending=Pending("g", "swapped", 0, "", 0))
WORKER = with_role(STOPPED)
DOWN: dict[str, tuple[NodeFacts | Failure | int, str]] = {
    "well": (WELL, ""),
    "stopped": (STOPPED, "containerd is inactive/dead"),
    "locked by another rollout": (LOCKED, "locked by rollout other"),
    "locked by this rollout": (MINE, ""),
    "with an unconfirmed change": (PENDING, "change g is unconfirmed"),
    "without an answer": (AWAY, "no answer"),
    "an answer that nothing can read": (5, "no answer"),
    "a worker by now": (WORKER, ""),
}


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "selected"])
@pytest.mark.parametrize(("facts", "why"), DOWN.values(), ids=DOWN)
def test_a_server_beside_the_rollout_that_is_down_takes_the_place(
    *, facts: object, why: str, inside: bool
) -> None:
    surveyed, nodes = {"s1": SERVER}, {"s1": STAGED}
    if inside:
        surveyed, nodes = {**surveyed, "s2": SERVER}, {**nodes, "s2": FAILED}
    told: dict[str, PlaneAnswer] = {}
    roles = {**WORKERS, "s2": ("process etcd",), "s3": ()}

    limit = check(Answers({"s2": facts}), surveyed, roles, record=told.update)(nodes)

    assert limit.down == ({"s2": why} if why else {})
    assert limit.takes("s2", nodes.get("s2", FAILED)) is bool(why)
    assert told["s2"].answered is isinstance(facts, NodeFacts)


def test_a_node_that_nobody_knows_and_that_does_not_answer_does_not_count() -> None:
    limit = check(Answers({"s2": AWAY, "s3": AWAY}), {"s1": SERVER}, WORKERS)({"s1": STAGED})

    assert (limit.nodes, dict(limit.down)) == ({"s1"}, {})


@pytest.mark.parametrize(
    ("members", "most"),
    [(("s1", "s2", "s3"), 2), (("s1", "s2"), 1)],
    ids=["said for all servers", "one server outside has none"],
)
def test_the_limit_is_the_smallest_over_all_servers_also_those_outside(
    members: tuple[str, ...], most: int
) -> None:
    nodes = tuple(
        replace(node, groups=("cp",) if node.name in members else ())
        for node in INVENTORY.nodes[:3]
    )
    inventory = Inventory(nodes, {"cp": Group("cp", members, (), "2")})

    limit = check(Answers(dict.fromkeys(NAMES, WELL)), {"s1": SERVER}, {}, inventory)(
        {"s1": STAGED}
    )

    assert (limit.nodes, limit.most) == ({"s1", "s2", "s3"}, most)
