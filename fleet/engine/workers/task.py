"""Tasks for workers in other processes, and how a worker runs one."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

from fleet import __version__
from fleet.core.failure import Failure
from fleet.engine.workers.base import run_in_pool

SITE = "site-"
"""What the names of a worker's resources begin with that are sites."""


LIFE = uuid.uuid4().hex
"""Names this very process, as long as it lives."""


_SEEN: set[str] = set()


def register_worker(dask_worker: Any) -> dict[str, Any]:
    """Say in a worker who it is."""
    state = dask_worker.state
    sites = (each.removeprefix(SITE) for each in state.total_resources if each.startswith(SITE))
    return {
        "version": __version__,
        "life": LIFE,
        "threads": state.nthreads,
        "sites": frozenset(sites),
    }


def run_once(name: str, life: str, parcel: PickledTask) -> bytes | None:
    """Do a piece of work in a worker; None where it is meant for a process that is gone."""
    if life != LIFE or name in _SEEN:
        return None
    _SEEN.add(name)
    done = run_in_pool(run_task, parcel.content)
    return pickle.dumps(done) if isinstance(done, Failure) else done


class PickledTask:
    """A packed piece of work; what it holds, secrets perhaps, is in no repr, log or dashboard."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __reduce__(self) -> tuple[type[PickledTask], tuple[bytes]]:
        return PickledTask, (self.content,)

    def __repr__(self) -> str:
        return f"Parcel({len(self.content)} bytes)"


def run_task(content: bytes) -> bytes:
    """Do a packed piece of work, and pack what it comes to: what cannot be packed is a bug too."""
    work, order = pickle.loads(content)  # noqa: S301 - the driver's own order
    return pickle.dumps(work(order))
