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
from fleet.core.failure import Failure, FailureKind
from fleet.core.model.node import Node
from fleet.engine.workers.base import HasNode, LostWorkerError, run_in_pool
from fleet.engine.workers.dask_client import local_cluster, open_client
from fleet.engine.workers.task import SITE, PickledTask, register_worker, run_once
from fleet.errors import FleetError

_Order = TypeVar("_Order", bound=HasNode)


_Result = TypeVar("_Result")


_CONNECT_SECONDS = 10


_LOOK = 1
"""Seconds between two reads of the scheduler's list of workers."""


_PATIENCE = 20
"""Seconds to wait for a worker after the last one has gone: Dask's nanny starts the next one."""


_PASSES = 256


@dataclass(slots=True)
class _Desk:
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

    parcel: PickledTask
    desk: _Desk
    future: Future[Any]
    remote: Any = None


class DaskPool:
    """A pool of a Dask scheduler's workers.

    A node's work goes to one worker, which serves the node's site if the node has one.
    """

    shares_sessions = _PASSES
    keeps = False

    def __init__(self, address: str | None, parallel: int) -> None:
        self.parallel = parallel
        self._local = local_cluster(parallel, _PASSES) if address is None else None
        self._client = open_client(address or self._local, _CONNECT_SECONDS)
        self._name = address or "the local cluster"
        self._lock = threading.RLock()
        self._desks: dict[str, _Desk] = {}
        self._places: dict[str, _Desk] = {}
        self._jobs: set[_Job] = set()
        self._sites: set[str | None] = set()
        self._homeless: list[tuple[Node, PickledTask, Future[Any], float]] = []
        self._numbers = itertools.count()
        self._run = uuid.uuid4().hex
        self._closed = threading.Event()
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._watch, name="fleet-workers", daemon=True).start()

    def submit(self, work: Callable[[_Order], _Result], order: _Order) -> Future[_Result | Failure]:
        """Submit work on a node to the worker of that node."""
        future: Future[_Result | Failure] = Future()
        packed = run_in_pool(pickle.dumps, (work, order))
        if isinstance(packed, Failure):
            future.set_result(packed)
            return future
        with self._lock:
            if not self._place(order.node, PickledTask(packed), future):
                patience = _PATIENCE if order.node.site in self._sites else 0
                until = time.monotonic() + patience
                self._homeless.append((order.node, PickledTask(packed), future, until))
                self._house()
        return future

    def _place(self, node: Node, parcel: PickledTask, future: Future[Any]) -> bool:
        desk = self._desk(node)
        if desk is not None:
            desk.waiting.append(_Job(parcel, desk, future))
            self._feed(desk)
        return desk is not None

    def _house(self) -> None:
        """Find workers for tasks that have none; fail those that have waited too long."""
        now, homeless, self._homeless = time.monotonic(), self._homeless, []
        for node, parcel, future, until in homeless:
            if self._place(node, parcel, future):
                continue
            if until <= now:
                future.set_result(self._nobody(node))
            else:
                self._homeless.append((node, parcel, future, until))

    def close(self) -> None:
        """Disconnect from the workers; abandon the work that still runs."""
        self._closed.set()
        self._client.close(timeout=_CONNECT_SECONDS)
        if self._local is not None:
            self._local.close(timeout=_CONNECT_SECONDS)

    def _open(self) -> None:
        """Wait until there are workers; raise a FleetError if one has another release of fleet."""
        until = time.monotonic() + _CONNECT_SECONDS
        self._meet(refuse=True)
        while not self._desks:
            if time.monotonic() > until:
                raise FleetError(f"--engine {self._name}: {self._idle()}")
            time.sleep(0.1)
            self._meet(refuse=True)

    def _idle(self) -> str:
        return f"the scheduler has no worker; start one with `dask worker {self._name}`"

    def _desk(self, node: Node) -> _Desk | None:
        """Return the worker of a node: the one it had, else the least busy one of its site."""
        kept = self._places.get(node.name)
        if kept is not None and self._desks.get(kept.address) is kept:
            return kept
        desks = [d for d in self._desks.values() if node.site is None or node.site in d.sites]
        if not desks:
            return None
        desk = self._places[node.name] = min(desks, key=lambda desk: desk.load)
        desk.nodes += 1
        return desk

    def _nobody(self, node: Node) -> Failure:
        if node.site is None or not self._desks:
            message = self._idle()
        else:
            message = (
                f'no worker of {self._name} takes nodes of site "{node.site}"; start one there:'
                f' dask worker {self._name} --resources "{SITE}{node.site}=1"'
            )
        return Failure(FailureKind.WORKER, "worker", message)

    def _feed(self, desk: _Desk) -> None:
        """Send a worker as many tasks as it has threads for; they count as running from then on."""
        while desk.waiting and desk.running < desk.threads:
            job = desk.waiting.popleft()
            if not job.future.set_running_or_notify_cancel():
                continue
            desk.running += 1
            self._jobs.add(job)
            name = f"fleet-{self._run}-{next(self._numbers)}"
            job.remote = self._client.submit(
                run_once,
                name,
                desk.life,
                job.parcel,
                key=name,
                pure=False,
                retries=0,
                workers=[desk.address],
                allow_other_workers=False,
            )
            job.remote.add_done_callback(lambda remote, job=job: self._take(job, remote))

    def _take(self, job: _Job, remote: Any) -> None:
        """Set the result of a task from the worker's answer."""
        answer = run_in_pool(lambda each: each.result(), remote)
        if isinstance(answer, bytes):
            self._close_job(job, run_in_pool(pickle.loads, answer))
        elif answer is not None:
            self._lose(job, answer.message)
        else:
            with self._lock:  # another process has this address now, and refused the task
                self._dismiss(job.desk)

    def _close_job(self, job: _Job, answer: Any) -> None:
        with self._lock:
            if job not in self._jobs:
                return
            self._jobs.discard(job)
            job.desk.running -= 1
            self._feed(job.desk)
        job.future.set_result(answer)

    def _lose(self, job: _Job, why: str) -> None:
        with self._lock:
            if job not in self._jobs:
                return
            self._jobs.discard(job)
        job.future.set_exception(LostWorkerError(f"{job.desk.address}: {why}"))

    def _dismiss(self, desk: _Desk) -> None:
        """Forget a worker that is gone; fail its tasks as lost."""
        if self._desks.get(desk.address) is desk:
            del self._desks[desk.address]
        for job in [job for job in self._jobs if job.desk is desk]:
            job.remote.cancel()
            self._lose(job, "gone from the cluster")
        while desk.waiting:
            job = desk.waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                self._jobs.add(job)
                self._lose(job, "gone from the cluster")

    def _watch(self) -> None:
        """Follow the scheduler's list of workers, until the pool is closed."""
        while not self._closed.wait(_LOOK):
            try:
                self._meet()
            except Exception as error:  # noqa: BLE001 - any error: the scheduler does not answer
                if self._closed.is_set():
                    return
                logging.getLogger("fleet").warning("%s: %s", self._name, error)
                self._keep(())
            with self._lock:
                self._house()

    def _meet(self, *, refuse: bool = False) -> None:
        present = self._client.ncores()
        self._keep(present)
        new = [address for address in present if address not in self._desks]
        if not new:
            return
        said = self._client.run(register_worker, workers=new, on_error="return")
        strangers = {a: who for a, who in said.items() if not _is_ours(who)}
        if refuse and strangers:
            address, who = next(iter(strangers.items()))
            message = f"{address}: this worker has no fleet {__version__} ({_told(who)})"
            raise FleetError(f"{message}; install the same containerd-fleet[dask] there")
        with self._lock:
            for address in said.keys() - strangers.keys():
                who = said[address]
                self._desks[address] = _Desk(address, who["life"], who["threads"], who["sites"])
                self._sites |= who["sites"] | {None}

    def _keep(self, present: Iterable[str]) -> None:
        """Forget the workers that are not present any more."""
        here = set(present)
        with self._lock:
            for desk in [desk for address, desk in self._desks.items() if address not in here]:
                self._dismiss(desk)


def _is_ours(who: Any) -> bool:
    return isinstance(who, dict) and who.get("version") == __version__


def _told(who: Any) -> str:
    return f"it has {who['version']}" if isinstance(who, dict) else str(who)
