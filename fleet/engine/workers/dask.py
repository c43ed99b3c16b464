"""A worker pool on Dask, with local workers or those of a given scheduler."""

from __future__ import annotations

import itertools
import logging
import pickle
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fleet import __version__
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.node import Node
from fleet.engine.workers.base import HasNode, LostWorkerError, run_in_pool
from fleet.engine.workers.dask_client import local_cluster, open_client
from fleet.engine.workers.task import SITE, PickledTask, register_worker, run_once
from fleet.errors import FleetError

_Order = TypeVar("_Order", bound=HasNode)


_Result = TypeVar("_Result")


_CONNECT_SECONDS = 10


_REFRESH_SECONDS = 1
"""Seconds between two reads of the scheduler's list of workers."""


_WORKER_SECONDS = 20
"""Seconds to wait for a worker after the last one has gone: Dask's nanny starts the next one."""


_PASSES = 256


@dataclass(slots=True)
class _Worker:
    """One worker process: its identity, the sites it serves, and its work."""

    address: str
    life: str
    threads: int
    sites: frozenset[str]
    nodes: int = 0
    running: int = 0
    waiting: deque[_Job] = field(default_factory=deque)

    @property
    def load(self) -> tuple[float, float]:
        busy = self.running + len(self.waiting)
        return busy / self.threads, self.nodes / self.threads


@dataclass(slots=True, eq=False)
class _Job:
    """One task in flight: what is sent, its worker, and the future of the caller."""

    task: PickledTask
    worker: _Worker
    future: Future[Any]
    remote: Any = None


class DaskPool:
    """A pool of a Dask scheduler's workers.

    A node's work goes to one worker, which serves the node's site if the node has one.
    """

    most_changes = _PASSES
    keeps_connections = False

    def __init__(
        self, address: str | None, parallel: int, connect_seconds: float = _CONNECT_SECONDS
    ) -> None:
        self.parallel, self._connect_seconds = parallel, connect_seconds
        self._local = local_cluster(parallel, _PASSES) if address is None else None
        self._client = open_client(address or self._local, connect_seconds)
        self._name = address or "the local cluster"
        self._lock = threading.RLock()
        self._workers: dict[str, _Worker] = {}
        self._places: dict[str, _Worker] = {}
        self._jobs: set[_Job] = set()
        self._sites: set[str | None] = set()
        self._unplaced: list[tuple[Node, PickledTask, Future[Any], float]] = []
        self._numbers = itertools.count()
        self._run = uuid.uuid4().hex
        self._closed = threading.Event()
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._watch_workers, name="fleet-workers", daemon=True).start()

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Submit work on a node to the worker of that node."""
        future: Future[_Result | Failure] = Future()
        packed = run_in_pool(pickle.dumps, (work, order))
        if isinstance(packed, Failure):
            future.set_result(packed)
            return future
        with self._lock:
            if not self._place(order.node, PickledTask(packed), future):
                patience = _WORKER_SECONDS if order.node.site in self._sites else 0
                until = time.monotonic() + patience
                self._unplaced.append((order.node, PickledTask(packed), future, until))
                self._place_waiting()
        return future

    def _place(self, node: Node, task: PickledTask, future: Future[Any]) -> bool:
        worker = self._worker_of(node)
        if worker is not None:
            worker.waiting.append(_Job(task, worker, future))
            self._send_tasks(worker)
        return worker is not None

    def _place_waiting(self) -> None:
        """Find workers for tasks that have none; fail those that have waited too long."""
        now, unplaced, self._unplaced = time.monotonic(), self._unplaced, []
        for node, task, future, until in unplaced:
            if self._place(node, task, future):
                continue
            if until <= now:
                future.set_result(self._no_worker_failure(node))
            else:
                self._unplaced.append((node, task, future, until))

    def close(self) -> None:
        """Disconnect from the workers; abandon the work that still runs."""
        self._closed.set()
        self._client.close(timeout=self._connect_seconds)
        if self._local is not None:
            self._local.close(timeout=self._connect_seconds)

    def _open(self) -> None:
        """Wait until there are workers; raise a FleetError if one has another release of fleet."""
        until = time.monotonic() + self._connect_seconds
        self._refresh_workers(refuse=True)
        while not self._workers:
            if time.monotonic() > until:
                problem = "; ".join(self._no_worker())
                raise FleetError(f"--engine {self._name}: {problem}")
            time.sleep(0.1)
            self._refresh_workers(refuse=True)

    def _no_worker(self) -> tuple[str, str]:
        return "the scheduler has no worker", f"start one with `dask worker {self._name}`"

    def _worker_of(self, node: Node) -> _Worker | None:
        """Return the worker of a node: the one it had, else the least busy one of its site."""
        previous = self._places.get(node.name)
        if previous is not None and self._workers.get(previous.address) is previous:
            return previous
        workers = [w for w in self._workers.values() if node.site is None or node.site in w.sites]
        if not workers:
            return None
        worker = self._places[node.name] = min(workers, key=lambda worker: worker.load)
        worker.nodes += 1
        return worker

    def _no_worker_failure(self, node: Node) -> Failure:
        if node.site is None or not self._workers:
            message, remedy = self._no_worker()
        else:
            message = f'{self._name} has no worker for site "{node.site}"'
            remedy = (
                f'start one there with `dask worker {self._name} --resources "{SITE}{node.site}=1"`'
            )
        return Failure(FailureKind.WORKER, Step.WORKER, message, remedy)

    def _send_tasks(self, worker: _Worker) -> None:
        """Send a worker as many tasks as it has threads for; they count as running from then on."""
        while worker.waiting and worker.running < worker.threads:
            job = worker.waiting.popleft()
            if not job.future.set_running_or_notify_cancel():
                continue
            worker.running += 1
            self._jobs.add(job)
            name = f"fleet-{self._run}-{next(self._numbers)}"
            job.remote = self._client.submit(
                run_once,
                name,
                worker.life,
                job.task,
                key=name,
                pure=False,
                retries=0,
                workers=[worker.address],
                allow_other_workers=False,
            )
            job.remote.add_done_callback(lambda remote, job=job: self._receive(job, remote))

    def _receive(self, job: _Job, remote: Any) -> None:
        """Set the result of a task from the worker's answer."""
        answer = run_in_pool(lambda future: future.result(), remote)
        if isinstance(answer, bytes):
            self._close_job(job, run_in_pool(pickle.loads, answer))
        elif answer is not None:
            self._fail_lost(job, answer.message)
        else:
            with self._lock:  # another process has this address now, and refused the task
                self._forget(job.worker)

    def _close_job(self, job: _Job, answer: Any) -> None:
        with self._lock:
            if job not in self._jobs:
                return
            self._jobs.discard(job)
            job.worker.running -= 1
            self._send_tasks(job.worker)
        job.future.set_result(answer)

    def _fail_lost(self, job: _Job, why: str) -> None:
        with self._lock:
            if job not in self._jobs:
                return
            self._jobs.discard(job)
        job.future.set_exception(LostWorkerError(f"{job.worker.address}: {why}"))

    def _forget(self, worker: _Worker) -> None:
        """Forget a worker that is gone; fail its tasks as lost."""
        if self._workers.get(worker.address) is worker:
            del self._workers[worker.address]
        for job in [job for job in self._jobs if job.worker is worker]:
            job.remote.cancel()
            self._fail_lost(job, "it left the cluster")
        while worker.waiting:
            job = worker.waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                self._jobs.add(job)
                self._fail_lost(job, "it left the cluster")

    def _watch_workers(self) -> None:
        """Follow the scheduler's list of workers, until the pool is closed."""
        while not self._closed.wait(_REFRESH_SECONDS):
            try:
                self._refresh_workers()
            except Exception as error:  # noqa: BLE001 - any error: the scheduler does not answer
                if self._closed.is_set():
                    return
                logging.getLogger("fleet").warning("%s: %s", self._name, error)
                self._forget_absent(())
            with self._lock:
                self._place_waiting()

    def _refresh_workers(self, *, refuse: bool = False) -> None:
        present = self._client.ncores()
        self._forget_absent(present)
        new = [address for address in present if address not in self._workers]
        if not new:
            return
        replies = self._client.run(register_worker, workers=new, on_error="return")
        strangers = {a: reply for a, reply in replies.items() if not _is_ours(reply)}
        if refuse and strangers:
            address, reply = next(iter(strangers.items()))
            message = f"worker {address} does not have fleet {__version__} ({_describe(reply)})"
            install = "pip install '.[dask]' (in a clone of that release)"
            raise FleetError(f"{message}. Run there: {install}")
        with self._lock:
            for address in replies.keys() - strangers.keys():
                reply = replies[address]
                self._workers[address] = _Worker(
                    address, reply["life"], reply["threads"], reply["sites"]
                )
                self._sites |= reply["sites"] | {None}

    def _forget_absent(self, present: Iterable[str]) -> None:
        """Forget the workers that are not present any more."""
        addresses = set(present)
        with self._lock:
            for worker in [
                worker for address, worker in self._workers.items() if address not in addresses
            ]:
                self._forget(worker)


def _is_ours(reply: Any) -> bool:
    return isinstance(reply, dict) and reply.get("version") == __version__


def _describe(reply: Any) -> str:
    return f"it has {reply['version']}" if isinstance(reply, dict) else str(reply)
