"""The choice of the worker pool by --engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from fleet.engine.workers.base import ThreadPool, WorkerPool
from fleet.errors import FleetError
from fleet.ssh.descriptors import max_busy_nodes, raise_limit

_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+")


@contextmanager
def open_pool(engine: str, parallel: int) -> Iterator[WorkerPool]:
    """Open and close a worker pool for `parallel` nodes, or fewer if descriptors are scarce."""
    raise_limit()
    pool = _make_pool(engine, min(parallel, max_busy_nodes()))
    try:
        yield pool
    finally:
        pool.close()


def _make_pool(engine: str, parallel: int) -> WorkerPool:
    if engine == "threads":
        return ThreadPool(parallel)
    if engine == "processes":
        from fleet.engine.workers.processes import ProcessPool  # noqa: PLC0415

        return ProcessPool(parallel)
    if engine == "dask" or _ADDRESS.fullmatch(engine):
        from fleet.engine.workers.dask import DaskPool  # noqa: PLC0415

        return DaskPool(None if engine == "dask" else engine, parallel)
    raise FleetError(
        f"--engine {engine}: expected threads, processes, dask, or the address of a Dask scheduler"
        " such as tcp://10.0.0.5:8786"
    )
