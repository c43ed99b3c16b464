"""Connections to Dask schedulers: an existing one, or a local one that fleet starts."""

from __future__ import annotations

import logging
import os
from typing import Any

from fleet.engine.workers.base import block_sigint
from fleet.errors import FleetError

try:
    from distributed import Client, LocalCluster
except ImportError as error:
    raise FleetError(
        "this engine needs Dask: in a clone of fleet, run `pipx install --force '.[dask]'`"
    ) from error


def local_cluster(parallel: int, threads: int) -> Any:
    """Start workers on this machine, at most one for each core, with `threads` threads each.

    They use TLS, so that other users of the machine cannot connect to them.
    """
    with block_sigint():
        return LocalCluster(
            n_workers=max(1, min(os.cpu_count() or 1, parallel)),
            threads_per_worker=threads,
            processes=True,
            dashboard_address="127.0.0.1:0",
            security=True,
            silence_logs=logging.CRITICAL,
            memory_limit=0,
        )


def open_client(where: Any, seconds: float) -> Any:
    """Connect to a scheduler, given as its address or as a local cluster.

    `seconds` is the time to wait for it. Raises a FleetError if it does not answer.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        with block_sigint():
            return Client(where, timeout=seconds, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        message = f"--engine {where}: no Dask scheduler answers there ({error})"
        raise FleetError(message) from error
