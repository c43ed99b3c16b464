"""Tasks in flight: their results, workers that die, and workers that do not come back."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.engine.suspension import SuspensionClock
from fleet.engine.tasks_in_flight import EndedTask, Task, Tasks, failed_outcome
from fleet.engine.workers.base import LostWorkerError
from tests.support.orders import order_of

WELL = NodeOutcome(node="n1", status=NodeStatus.CONVERGED)


class Pool:
    """A worker pool whose futures the test settles."""

    parallel = most_changes = 8
    keeps_connections = True

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, work: Any, order: Any) -> Future[Any]:
        del work, order
        self.futures.append(Future())
        return self.futures[-1]

    def close(self) -> None:
        """Nothing is open."""


def task(node: str = "n1", *, seconds: float = 60.0) -> Task:
    return Task(node, NodeStatus.RUNNING, seconds, began=0.0)


def begun(*tasks: Task) -> tuple[Tasks, Pool]:
    """Return tasks whose workers have begun them."""
    pool = Pool()
    running = Tasks(pool, SuspensionClock())
    for each in tasks:
        running.submit(lambda _: WELL, order_of(), each)
        pool.futures[-1].set_running_or_notify_cancel()
    return running, pool


def test_a_result_comes_with_its_task() -> None:
    one = task()
    running, pool = begun(one)
    pool.futures[0].set_result(WELL)

    assert list(running.collect()) == [EndedTask(one, WELL)]
    assert len(running) == 0


def test_all_that_has_ended_comes_at_once() -> None:
    tasks = [task(name) for name in ("n1", "n2", "n3")]
    running, pool = begun(*tasks)
    for future in (pool.futures[2], pool.futures[0]):
        future.set_result(WELL)

    assert [ended.task.node for ended in running.collect()] == ["n3", "n1"]
    assert len(running) == 1


def test_a_failure_of_the_pool_is_a_result() -> None:
    failure = Failure(FailureKind.BUG, Step.BUG, "a bug", "try again")
    running, pool = begun(task())
    pool.futures[0].set_result(failure)

    (ended,) = running.collect()

    assert (ended.result, ended.lost, ended.stuck) == (failure, False, False)


def test_a_worker_that_dies_is_a_lost_task() -> None:
    running, pool = begun(task())
    pool.futures[0].set_exception(LostWorkerError("killed"))

    (ended,) = running.collect()

    assert isinstance(ended.result, Failure)
    assert (ended.result.kind, ended.lost) == (FailureKind.WORKER, True)


def test_a_worker_that_does_not_come_back_in_time_is_abandoned() -> None:
    running, pool = begun(task(seconds=-1))

    assert list(running.collect()) == []  # its time counts from when it is seen to run
    (ended,) = running.collect()
    pool.futures[0].set_result(WELL)

    assert isinstance(ended.result, Failure)
    assert (ended.result.kind, ended.result.step) == (FailureKind.TIMEOUT, "settle")
    assert ended.stuck
    assert len(running) == 0
    assert list(running.collect()) == []  # a result that comes later is of no task


FAILED = {
    "in staging": (
        NodeStatus.STAGING,
        Failure(FailureKind.WORKER, Step.WORKER, "it died", "try again"),
        NodeStatus.FAILED,
        "stage",
    ),
    "a dead worker": (
        NodeStatus.RUNNING,
        Failure(FailureKind.WORKER, Step.WORKER, "it died", "try again"),
        NodeStatus.UNREACHABLE,
        "settle",
    ),
    "a stuck worker": (
        NodeStatus.RUNNING,
        Failure(FailureKind.TIMEOUT, Step.SETTLE, "stuck", "try again"),
        NodeStatus.UNREACHABLE,
        "settle",
    ),
    "a bug": (
        NodeStatus.RUNNING,
        Failure(FailureKind.BUG, Step.BUG, "a bug", "try again"),
        NodeStatus.DEGRADED,
        "bug",
    ),
}


@pytest.mark.parametrize(("working", "failure", "status", "step"), FAILED.values(), ids=FAILED)
def test_a_node_whose_worker_failed_may_be_changed_unless_it_was_staging(
    working: NodeStatus, failure: Failure, status: NodeStatus, step: str
) -> None:
    outcome = failed_outcome(Task("n1", working, 60, began=0), failure)

    assert (outcome.node, outcome.status, outcome.held) == ("n1", status, True)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.step) == (failure.kind, step)
    assert outcome.failure.message.startswith(failure.message)
