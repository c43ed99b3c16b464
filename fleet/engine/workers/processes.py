"""A worker pool of processes: one for each core, each with threads and a pipe of its own."""

from __future__ import annotations

import itertools
import logging
import logging.handlers
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from fleet.core.failure import Failure
from fleet.engine.workers.base import HasNode, LostWorkerError, block_sigint, run_in_pool
from fleet.engine.workers.task import run_task
from fleet.node.verify.pull_limiter import LIMITER

_Order = TypeVar("_Order", bound=HasNode)


_Result = TypeVar("_Result")


# A forked copy of a process with threads in it may hang, and Paramiko starts threads.
_SPAWN = get_context("spawn")


_LOG = logging.getLogger("fleet")


class ProcessPool:
    """A pool of processes on all cores.

    A node's work always goes to the same process, which pools its connections. If a process dies,
    its work fails, and a new process takes its place.
    """

    most_changes = 256
    keeps_connections = True

    def __init__(self, parallel: int, count: int | None = None) -> None:
        self.parallel = parallel
        # A worker without a node would only cost its memory.
        self._count = max(1, min(count or os.cpu_count() or 1, parallel))
        self._members: dict[int, _Member] = {}
        self._places: dict[str, int] = {}
        self._next_place = itertools.cycle(range(self._count))

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Submit work on a node to the process of that node."""
        name = order.node.name
        if name not in self._places:
            self._places[name] = next(self._next_place)
        return self._member(self._places[name]).submit(work, order)

    def _member(self, place: int) -> _Member:
        member = self._members.get(place)
        if member is None or member.lost:
            member = self._members[place] = _Member(self._count)
        return member

    def close(self) -> None:
        """End the processes; abandon the work that still runs in them."""
        for member in self._members.values():
            member.close()


class _Member:
    """One process: its unanswered work, and the thread that reads its answers."""

    def __init__(self, count: int) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=_serve, args=(theirs, _LOG.level, count), name="fleet-worker", daemon=True
        )
        with block_sigint():
            self._process.start()
        theirs.close()  # if it stayed open here, the pipe would not end with the process
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._unanswered: dict[int, Future[Any]] = {}
        self.lost = False
        self._reader = threading.Thread(target=self._read, name="fleet-answers", daemon=True)
        self._reader.start()

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        future: Future[_Result | Failure] = Future()
        future.set_running_or_notify_cancel()
        number = next(self._numbers)
        packed = run_in_pool(pickle.dumps, (work, order))
        if isinstance(packed, Failure):
            future.set_result(packed)
            return future
        with self._lock:
            if self.lost:
                future.set_exception(LostWorkerError("killed before its work began"))
                return future
            self._unanswered[number] = future
            with suppress(OSError):  # the reading thread sees the end of the pipe as well
                self._pipe.send((number, packed))
        return future

    def _read(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                number, answer = self._pipe.recv()
                if isinstance(answer, logging.LogRecord):
                    logging.getLogger(answer.name).handle(answer)
                else:
                    self._unanswered.pop(number).set_result(run_in_pool(pickle.loads, answer))
        self._process.join(1)
        code = self._process.exitcode
        with self._lock:
            self.lost = True
            orphans, self._unanswered = self._unanswered, {}
        for future in orphans.values():
            future.set_exception(LostWorkerError(f"exit code {code}"))

    def close(self) -> None:
        self._process.terminate()
        self._reader.join(5)
        self._pipe.close()


def _serve(pipe: Connection, level: int, count: int) -> None:
    """Run tasks from the pipe until it ends, in one of `count` processes."""
    LIMITER.sharers = count
    lock = threading.Lock()

    def answer(number: int, value: object) -> None:
        with lock, suppress(OSError):
            pipe.send((number, value))

    def begin(number: int, packed: bytes) -> None:
        result = run_in_pool(run_task, packed)
        answer(number, pickle.dumps(result) if isinstance(result, Failure) else result)

    _LOG.setLevel(level)
    _LOG.addHandler(_Forward(lambda record: answer(-1, record)))
    # As many threads as there are tasks: the driver limits how many it submits.
    pool = ThreadPoolExecutor(1 << 16, thread_name_prefix="node")
    with suppress(EOFError, OSError):
        while True:
            pool.submit(begin, *pipe.recv())
    os._exit(0)  # the driver is gone; the nodes' scripts end by themselves


class _Forward(logging.handlers.QueueHandler):
    """A log handler that sends records to the driver, whose handlers write them."""

    def __init__(self, send: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._send = send

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send one record."""
        self._send(record)
