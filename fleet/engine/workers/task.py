"""Pickled tasks for workers in other processes, and their execution in a worker."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

from fleet import __version__
from fleet.core.failure import Failure
from fleet.engine.workers.base import run_in_pool

SITE = "site-"
"""The prefix of a Dask worker's resources that name sites."""


LIFE = uuid.uuid4().hex
"""An id of this process, for as long as it lives."""


_RUN_BEFORE: set[str] = set()


def register_worker(dask_worker: Any) -> dict[str, Any]:
    """Return what the driver must know of this worker; runs in the worker."""
    state = dask_worker.state
    sites = (
        resource.removeprefix(SITE)
        for resource in state.total_resources
        if resource.startswith(SITE)
    )
    return {
        "version": __version__,
        "life": LIFE,
        "threads": state.nthreads,
        "sites": frozenset(sites),
    }


def run_once(name: str, life: str, task: PickledTask) -> bytes | None:
    """Run a task in a worker; return None if it was meant for a process that is gone.

    A task runs once: None is returned also for one that this process has run before.
    """
    if life != LIFE or name in _RUN_BEFORE:
        return None
    _RUN_BEFORE.add(name)
    result = run_in_pool(run_task, task.content)
    return pickle.dumps(result) if isinstance(result, Failure) else result


class PickledTask:
    """A pickled task. It may hold secrets, so its content is in no repr, log or dashboard."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[type[PickledTask], tuple[bytes]]:
        return PickledTask, (self.content,)

    def __repr__(self) -> str:
        return f"PickledTask({len(self.content)} bytes)"


def run_task(content: bytes) -> bytes:
    """Run a pickled task and pickle the result; raise if that cannot be pickled."""
    work, order = pickle.loads(content)  # noqa: S301 - the driver's own order
    return pickle.dumps(work(order))
