"""Locks that nodes still have at the end of a rollout: one more try to release each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.engine.locks import release_held, still_held
from fleet.engine.workers.base import ThreadPool
from fleet.node.work_order import WorkOrder
from tests.support.orders import order_of, plan_of
from tests.support.ssh_server import Answer, SshServer, in_turn, record, ssh_server

LOST = Failure(FailureKind.CONNECT, Step.RUN, "the connection was lost", "try again")
STAYS = Failure(FailureKind.CONNECT, Step.RELEASE, "it stays held", "try again")


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    made = ThreadPool(1)
    yield made
    made.close()


def outcome(name: str, *, held: bool, failure: Failure | None = None) -> NodeOutcome:
    return NodeOutcome(node=name, status=NodeStatus.FAILED, failure=failure, held=held)


def released(outcomes: list[NodeOutcome], server: SshServer, pool: ThreadPool) -> list[NodeOutcome]:
    def order(name: str) -> WorkOrder:
        return order_of(plan_of(Node(name=name, host=name)), settings=server.settings)

    return list(release_held({ended.node: ended for ended in outcomes}, order, pool))


def test_a_node_that_is_released_keeps_its_outcome_without_the_lock(
    tmp_path: Path, pool: ThreadPool
) -> None:
    held = outcome("w1", held=True, failure=LOST)
    with ssh_server(tmp_path, in_turn(record(status="released"))) as server:
        assert released([held], server, pool) == [outcome("w1", held=False, failure=LOST)]


@pytest.mark.parametrize("answer", [record(status="failed"), Answer("begun\t=plain\n", None)])
def test_a_node_that_stays_locked_is_left_out(
    tmp_path: Path, pool: ThreadPool, answer: Answer
) -> None:
    with ssh_server(tmp_path, in_turn(answer)) as server:
        assert released([outcome("w1", held=True)], server, pool) == []


def test_only_locked_nodes_are_tried_and_none_that_was_tried_before(
    tmp_path: Path, pool: ThreadPool
) -> None:
    nodes = [outcome("w1", held=False), outcome("w2", held=True, failure=STAYS)]
    with ssh_server(tmp_path, in_turn(record(status="released"))) as server:
        assert released(nodes, server, pool) == []
        assert server.inputs == []


@pytest.mark.parametrize(
    ("ended", "held"),
    [(LOST, True), (outcome("w1", held=True), True), (outcome("w1", held=False), False)],
)
def test_what_is_not_known_counts_as_locked(ended: NodeOutcome | Failure, *, held: bool) -> None:
    assert still_held(ended) is held
