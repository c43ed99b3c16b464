"""The quorum check in a driver: it comes before each control plane node that is taken down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.errors import JournalError
from tests.engine.test_driver import C, Nodes, P, driven


@pytest.fixture
def nodes() -> Nodes:
    """Return nodes on which all work succeeds."""
    return Nodes()


def test_the_quorum_is_asked_for_before_each_control_plane_node(nodes: Nodes) -> None:
    asked: list[tuple[list[str], NodeStatus]] = []

    def ask(
        names: Sequence[str], states: Mapping[str, NodeStatus], limit: ControlPlaneLimit
    ) -> str:
        asked.append((list(names), states["b"]))
        return ""

    ended = driven(nodes, "abc", plane="bc", ask_quorum=ask)

    assert ended.status == "finished"
    assert asked == [(["b"], NodeStatus.STAGED), (["c"], C), ([], C)]


def test_a_quorum_that_is_lost_after_the_last_node_halts_nothing(nodes: Nodes) -> None:
    asked: list[list[str]] = []

    def ask(names: Sequence[str], *_: object) -> str:
        asked.append(list(names))
        return "" if names else "etcd has no quorum"

    ended = driven(nodes, "abc", plane="bc", ask_quorum=ask)
    workers = driven(nodes, "abc", plane="x", ask_quorum=ask)

    assert (ended.status, asked) == ("finished", [["b"], ["c"], []])
    assert workers.status == "finished"


def test_a_lost_quorum_halts_before_the_next_control_plane_node(nodes: Nodes) -> None:
    ended = driven(
        nodes,
        "abc",
        plane="bc",
        ask_quorum=lambda names, *_: "etcd has no quorum" if "c" in names else "",
    )

    assert ended.status == "halted"
    assert ended.reason.startswith("etcd has no quorum. So c must stay up. Repair the members")
    assert ended.state.nodes == {"a": C, "b": C, "c": P}
    assert ("c", P) in nodes.done


def test_a_node_that_is_down_already_takes_no_member_down(nodes: Nodes) -> None:
    asked: list[str] = []
    limit = ControlPlaneLimit(frozenset("bc"), down={"b": "containerd is inactive/dead"})

    def ask(names: Sequence[str], *_: object) -> str:
        asked.extend(names)
        return ""

    ended = driven(nodes, "abc", plane="bc", ask_plane=lambda _: limit, ask_quorum=ask)

    assert (ended.status, asked) == ("finished", ["c"])


def test_a_journal_that_does_not_take_the_quorum_halts(nodes: Nodes) -> None:
    def ask(*_: object) -> str:
        raise JournalError("the disk is full")

    ended = driven(nodes, "abc", plane="bc", ask_quorum=ask)

    assert (ended.status, ended.reason) == ("halted", "the disk is full")
    assert ended.state.nodes == {"a": C, "b": P, "c": P}
