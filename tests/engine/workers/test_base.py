"""Crews: the same work, whoever does it; what becomes of it when its worker is killed."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.engine.workers.base import (
    LostWorkerError,
    ThreadPool,
    WorkerPool,
    map_nodes,
    run_in_pool,
)
from fleet.engine.workers.open_pool import open_pool
from fleet.errors import FleetError
from tests.support.cluster import forget_sockets

pytestmark = pytest.mark.filterwarnings(  # Dask leaves sockets to the collector
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
ENGINES = ("threads", "processes", *(["dask"] if find_spec("distributed") else []))


@dataclass(frozen=True)
class Errand:
    """An order that says where its worker may leave a mark."""

    node: Node
    mark: Path = Path()
    word: str = ""


def errand(name: str, mark: Path = Path(), word: str = "") -> Errand:
    return Errand(Node(name=name, host=name), mark, word)


def upper(order: Errand) -> str:
    return order.word.upper()


def where(order: Errand) -> int:
    del order
    return os.getpid()


def break_down(order: Errand) -> str:
    raise ZeroDivisionError(order.word)


def unsendable(order: Errand) -> object:
    del order
    return threading.Lock()


class OddError(Exception):
    """An exception that cannot be packed, and whose message cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def __str__(self) -> str:
        raise ZeroDivisionError


class Closed:
    """A value that can be packed, and not unpacked."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return NodeError, ()


def odd(order: Errand) -> object:
    match order.word:
        case "an answer that cannot be packed":
            return threading.Lock()
        case "an answer that cannot be unpacked":
            return Closed()
        case "an answer that is too deep":
            deep: list[object] = []
            for _ in range(100_000):
                deep = [deep]
            return deep
        case "an exception that cannot be packed or read":
            raise OddError
        case "an exit":
            raise SystemExit(3)
        case "no memory":
            raise MemoryError
    return order.word.upper()


ODD = (
    "an answer that cannot be packed",
    "an answer that cannot be unpacked",
    "an answer that is too deep",
    "an exception that cannot be packed or read",
    "an exit",
    "no memory",
)
_VALUES = ODD[:3]
"""What is a failure only where it has to travel."""


def fate(order: Errand) -> str:
    if order.word == "die":
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.6)
    return order.word


def die_once(order: Errand) -> str:
    if order.mark.exists():
        return "done"
    order.mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die(order: Errand) -> str:
    with order.mark.open("a") as mark:
        mark.write("x")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def log(order: Errand) -> None:
    logging.getLogger("fleet.ssh").info("%s: connected", order.node.name)


@pytest.fixture(params=ENGINES)
def pool(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    with open_pool(request.param, 4) as pool:
        yield pool
    forget_sockets()


@pytest.fixture
def processes() -> Iterator[WorkerPool]:
    with open_pool("processes", 8) as pool:
        yield pool


def test_work_comes_back_with_its_order(pool: WorkerPool) -> None:
    orders = [errand(f"n{number}", word=f"w{number}") for number in range(40)]

    found = dict(map_nodes(upper, orders, pool))

    assert found == {order: order.word.upper() for order in orders}


def test_a_bug_is_a_failure_with_its_place_and_no_traceback(pool: WorkerPool) -> None:
    ((_, found),) = map_nodes(break_down, [errand("n", word="zero")], pool)

    assert isinstance(found, Failure)
    assert found.kind is FailureKind.BUG
    assert found.message == "bug in fleet: ZeroDivisionError: zero"
    assert found.remedy.startswith("report it")
    assert found.evidence.endswith(" in break_down")
    assert "Traceback" not in found.evidence


def test_one_node_s_bug_is_one_node_s_failure_whatever_it_is(pool: WorkerPool) -> None:
    orders = [errand(word, word=word) for word in (*ODD, "well", "too")]

    found = {order.word: answer for order, answer in map_nodes(odd, orders, pool)}

    assert (found.pop("well"), found.pop("too")) == ("WELL", "TOO")
    local = _VALUES if isinstance(pool, ThreadPool) else ()
    kinds = {word: each.kind for word, each in found.items() if isinstance(each, Failure)}
    assert kinds == {word: FailureKind.BUG for word in ODD if word not in local}


def test_work_that_kills_its_worker_twice_fails_alone(processes: WorkerPool) -> None:
    """The work beside it is lost once, and done again apart from it."""
    words = ["die", *(f"n{number}" for number in range(6))]

    found = {
        order.word: answer
        for order, answer in map_nodes(fate, [errand(w, word=w) for w in words], processes)
    }

    lost = found.pop("die")
    assert isinstance(lost, Failure)
    assert lost.kind is FailureKind.WORKER
    assert found == {word: word for word in words[1:]}


def test_the_traceback_of_a_bug_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fleet")

    run_in_pool(break_down, errand("n", word="zero"))

    assert "Traceback" in caplog.text
    assert "ZeroDivisionError: zero" in caplog.text


def test_what_cannot_be_sent_is_a_bug_and_no_hang(processes: WorkerPool) -> None:
    ((_, answer),) = map_nodes(unsendable, [errand("n")], processes)
    ((_, order),) = map_nodes(lambda order: order, [errand("n")], processes)

    assert isinstance(answer, Failure)
    assert isinstance(order, Failure)
    assert answer.kind is order.kind is FailureKind.BUG


def test_a_node_goes_to_the_same_process_each_time(processes: WorkerPool) -> None:
    orders = [errand("a"), errand("b")] * 5

    found = [(order.node.name, pid) for order, pid in map_nodes(where, orders, processes)]

    assert len(set(found)) == 2
    assert os.getpid() not in {pid for _, pid in found}
    assert len({pid for _, pid in found}) == min(2, os.cpu_count() or 1)


def test_work_whose_worker_is_killed_is_done_once_more(
    processes: WorkerPool, tmp_path: Path
) -> None:
    found = dict(map_nodes(die_once, [errand("n", tmp_path / "mark")], processes))

    assert list(found.values()) == ["done"]


@pytest.mark.parametrize(("again", "times"), [(True, "xx"), (False, "x")], ids=["twice", "never"])
def test_work_that_kills_its_worker_ends_as_a_failure(
    processes: WorkerPool, tmp_path: Path, again: bool, times: str
) -> None:
    mark = tmp_path / "mark"

    ((_, found),) = map_nodes(die, [errand("n", mark)], processes, again=again)

    assert isinstance(found, Failure)
    assert found.kind is FailureKind.WORKER
    assert "exit code -9" in found.message
    assert mark.read_text() == times


def test_a_worker_that_is_lost_takes_only_its_own_work_down(
    processes: WorkerPool, tmp_path: Path
) -> None:
    lost = processes.submit(die, errand("a", tmp_path / "mark"))
    kept = processes.submit(upper, errand("b", word="b"))

    assert kept.result(20) == "B"
    assert isinstance(lost.exception(20), LostWorkerError)


def test_what_a_worker_logs_comes_to_the_driver(
    processes: WorkerPool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="fleet"):
        list(map_nodes(log, [errand("n")], processes))

    assert "n: connected" in caplog.messages


def test_secrets_travel_and_stay_hidden(processes: WorkerPool) -> None:
    secret = Secret("s3cret")

    ((order, found),) = map_nodes(upper, [errand("n", word=secret)], processes)

    assert found == "S3CRET"
    assert "s3cret" not in repr(order)


def test_an_engine_that_is_none_is_refused() -> None:
    with pytest.raises(FleetError, match="--engine fast: expected threads"), open_pool("fast", 1):
        pytest.fail("hired")
