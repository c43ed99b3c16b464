"""The quorum check: who is asked for etcd's members, and when it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.etcd import Etcd, EtcdMember, EtcdState
from fleet.core.model.facts import MachineFacts, NodeFacts
from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.engine.quorum import QuorumCheck
from fleet.node.work_order import Access
from tests.engine.test_control_plane import AWAY, INVENTORY, Answers

PLANE = ControlPlaneLimit(frozenset(("s1", "s2", "s3")))
SILENT = Etcd(EtcdState.SILENT, reason="its etcd does not answer")
STAGED, CONVERGED = NodeStatus.STAGED, NodeStatus.CONVERGED
BEFORE = dict.fromkeys(("s1", "s2", "s3"), STAGED)


def seen(own: str, *, healthy: str = "s1 s2 s3") -> Etcd:
    """Return what a node says of three members."""
    members = (
        EtcdMember(name, name in healthy.split(), own=name == own) for name in ("s1", "s2", "s3")
    )
    return Etcd(EtcdState.LISTED, tuple(members))


def facts(etcd: Etcd | None) -> NodeFacts:
    return replace(NodeFacts(), machine=MachineFacts(etcd=etcd))


class Cluster(Answers):
    """Control plane nodes that answer; `then` replaces an answer after its first use."""

    def __init__(self, then: dict[str, Etcd] | None = None, **etcds: Etcd | Failure | None) -> None:
        known = {name: each if isinstance(each, Failure) else facts(each)
                 for name, each in etcds.items()}  # fmt: skip
        super().__init__(known)
        self.then = then or {}

    def submit(self, work: object, order: object) -> object:  # type: ignore[override]
        future = super().submit(work, order)  # type: ignore[arg-type]
        known = dict(self.facts)
        known |= {name: facts(self.then[name]) for name in self.asked if name in self.then}
        self.facts = known
        return future


def check(
    cluster: Cluster,
    *names: str,
    nodes: dict[str, NodeStatus] | None = None,
    limit: ControlPlaneLimit = PLANE,
    seconds: float = 0,
) -> tuple[str, list[str], list[Etcd | None]]:
    """Return the problem, the announcements, and what was recorded."""
    told: list[str] = []
    recorded: list[Etcd | None] = []

    def record(names: Sequence[str], etcd: Etcd | None, problem: str) -> None:
        del names, problem
        recorded.append(etcd)

    made = QuorumCheck(
        inventory=INVENTORY,
        access=Access(),
        pool=cluster,  # type: ignore[arg-type]
        waiting=told.append,
        record=record,
        seconds=seconds,
    )
    return made(names or ("s1",), nodes or BEFORE, limit), told, recorded


def test_a_healthy_quorum_lets_one_node_go() -> None:
    cluster = Cluster(s1=seen("s1"))

    assert check(cluster) == ("", [], [seen("s1")])
    assert cluster.asked == ["s1"]


def test_a_member_that_is_down_elsewhere_keeps_the_others_up() -> None:
    problem, _, _ = check(Cluster(s1=seen("s1", healthy="s1 s2")))

    assert problem == "etcd would lose its quorum (2 of 3 members healthy, not s3)"


def test_the_node_whose_own_member_is_down_may_go() -> None:
    cluster = Cluster(s1=SILENT, s2=seen("s2", healthy="s2 s3"))

    assert check(cluster)[0] == ""
    assert cluster.asked == ["s1", "s2"]


def test_a_node_that_cannot_ask_counts_as_a_member() -> None:
    unknown = Etcd(EtcdState.UNKNOWN, reason="the node has neither curl nor openssl")

    problem, _, _ = check(Cluster(s1=unknown, s2=seen("s2", healthy="s2 s3")))

    assert problem.startswith("etcd would lose its quorum")


def test_where_no_node_can_tell_nothing_is_in_the_way() -> None:
    away = Etcd(EtcdState.AWAY, reason="no etcd runs on it")
    failure = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "wait")

    assert check(Cluster(s1=away, s2=None, s3=failure)) == ("", [], [None])


def test_a_silent_member_halts_where_no_other_can_tell() -> None:
    problem, _, _ = check(Cluster(s1=SILENT, s2=AWAY, s3=AWAY))

    assert problem == "etcd's quorum is not known (s1: its etcd does not answer)"


def test_a_single_control_plane_node_has_no_quorum_to_keep() -> None:
    limit = ControlPlaneLimit(frozenset({"s1"}))

    assert check(Cluster(s1=SILENT), limit=limit)[0] == ""


def test_it_waits_for_the_member_of_a_node_that_was_changed() -> None:
    cluster = Cluster({"s2": seen("s2")}, s2=seen("s2", healthy="s2 s3"))

    problem, told, recorded = check(cluster, "s2", nodes={**BEFORE, "s1": CONVERGED}, seconds=20)

    assert problem == ""
    assert told == ["etcd would lose its quorum (2 of 3 members healthy, not s1)"]
    assert recorded == [seen("s2")]


def test_after_the_last_node_it_waits_for_its_member() -> None:
    cluster = Cluster({"s1": seen("s1")}, s1=seen("s1", healthy="s1 s2"))
    made = QuorumCheck(
        inventory=INVENTORY,
        access=Access(),
        pool=cluster,  # type: ignore[arg-type]
        seconds=20,
    )

    assert made((), dict.fromkeys(("s1", "s2", "s3"), CONVERGED), PLANE) == ""
    assert cluster.asked == ["s1", "s1"]


def test_it_waits_for_nothing_if_no_server_was_changed() -> None:
    cluster = Cluster({"s2": seen("s2")}, s2=seen("s2", healthy="s2 s3"))

    problem, told, _ = check(cluster, "s2", nodes={**BEFORE, "w1": CONVERGED}, seconds=20)

    assert problem
    assert told == []


def test_a_greater_limit_of_the_user_lifts_it() -> None:
    ill = Cluster(s1=seen("s1", healthy="s1 s2"))
    three, one = replace(PLANE, most=3), replace(PLANE, most=1)

    assert check(ill, "s1", "s2", "s3", limit=three)[0] == ""
    assert check(ill, "s1", limit=one)[0]


def test_a_limit_that_etcd_can_spare_does_not_lift_it() -> None:
    names = ("s1", "s2", "s3", "x", "y")
    five = Etcd(
        EtcdState.LISTED, tuple(EtcdMember(n, healthy=n != "y", own=n == "s1") for n in names)
    )

    problem, _, _ = check(Cluster(s1=five), "s1", "s2", limit=replace(PLANE, most=2))

    assert problem == "etcd would lose its quorum (4 of 5 members healthy, not y)"
