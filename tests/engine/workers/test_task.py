"""Tasks for workers in other processes: pickled, run once, and never shown."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest

from fleet import __version__
from fleet.core.failure import Failure, FailureKind
from fleet.engine.workers.task import LIFE, PickledTask, register_worker, run_once, run_task

SECRET = "hunter2"


def double(number: int) -> int:
    return 2 * number


def fail(word: str) -> None:
    raise ZeroDivisionError(word)


def packed(work: object, order: object) -> PickledTask:
    return PickledTask(pickle.dumps((work, order)))


def test_a_task_gives_its_result_as_it_came() -> None:
    assert pickle.loads(run_task(packed(double, 21).content)) == 42


def test_a_task_shows_its_size_alone() -> None:
    task = packed(double, SECRET)

    assert SECRET not in f"{task} {task!r}"
    assert repr(task) == f"PickledTask({len(task.content)} bytes)"


def test_a_task_can_be_sent_on() -> None:
    task = packed(double, 21)

    assert pickle.loads(pickle.dumps(task)).content == task.content


def test_a_task_runs_once() -> None:
    task = packed(double, 21)

    first, second = (run_once("once", LIFE, task) for _ in range(2))

    assert first is not None
    assert (pickle.loads(first), second) == (42, None)


def test_a_task_for_a_process_that_is_gone_does_not_run() -> None:
    assert run_once("gone", "another life", packed(fail, "x")) is None
    assert run_once("gone", LIFE, packed(double, 1)) is not None


def test_a_bug_in_a_task_is_its_result() -> None:
    answer = run_once("bug", LIFE, packed(fail, "by zero"))

    assert answer is not None
    failure = pickle.loads(answer)
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.BUG
    assert "ZeroDivisionError" in failure.message


def test_a_result_that_cannot_be_sent_is_a_bug() -> None:
    answer = run_once("unpicklable", LIFE, packed(open_generator, 1))

    assert answer is not None
    assert isinstance(pickle.loads(answer), Failure)


def open_generator(number: int) -> object:
    return (value for value in range(number))


@pytest.mark.parametrize(
    ("resources", "sites"),
    [({}, set()), ({"site-eu": 1, "GPU": 2, "site-us": 1}, {"eu", "us"}), ({"site-": 1}, {""})],
)
def test_a_worker_names_its_sites_and_its_release(
    resources: dict[str, int], sites: set[str]
) -> None:
    state = SimpleNamespace(total_resources=resources, nthreads=4)

    assert register_worker(SimpleNamespace(state=state)) == {
        "version": __version__,
        "life": LIFE,
        "threads": 4,
        "sites": frozenset(sites),
    }
