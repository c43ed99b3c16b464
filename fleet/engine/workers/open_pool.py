"""The worker pool that --engine asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from fleet.engine.workers.base import Crew, Threads
from fleet.errors import FleetError
from fleet.ssh.descriptors import most_busy, raise_limit

_ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+")


@contextmanager
def hired(engine: str, parallel: int) -> Iterator[Crew]:
    """Open and close a worker pool for `parallel` nodes, or fewer if descriptors are scarce."""
    raise_limit()
    crew = _crew(engine, min(parallel, most_busy()))
    try:
        yield crew
    finally:
        crew.close()


def _crew(engine: str, parallel: int) -> Crew:
    if engine == "threads":
        return Threads(parallel)
    if engine == "processes":
        from fleet.engine.workers.processes import Processes  # noqa: PLC0415

        return Processes(parallel)
    if engine == "dask" or _ADDRESS.fullmatch(engine):
        from fleet.engine.workers.dask import Cluster  # noqa: PLC0415

        return Cluster(None if engine == "dask" else engine, parallel)
    raise FleetError(
        f"--engine {engine}: expected threads, processes, dask, or the address of a Dask scheduler"
        " such as tcp://10.0.0.5:8786"
    )
