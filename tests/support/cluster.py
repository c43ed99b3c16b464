"""A Dask scheduler with its workers, as an operator starts them."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_QUIET = {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error", "PYTHONPATH": str(ROOT)}

_KNOWN = """
import sys
from distributed import Client
with Client(sys.argv[1]) as client:
    client.wait_for_workers(int(sys.argv[2]), timeout=60)
"""


class DaskCluster:
    """The processes of one scheduler and its workers; all end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        about = folder / "scheduler.json"
        self._begin("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(about))
        while not about.is_file():
            time.sleep(0.1)
        self.address = str(json.loads(about.read_text())["address"])

    def worker(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start one worker."""
        return self._begin("worker", self.address, "--no-dashboard", *flags)

    def wait(self) -> None:
        """Wait until the scheduler knows every worker that was started."""
        words = (sys.executable, "-c", _KNOWN, self.address, str(len(self._processes) - 1))
        subprocess.run(words, env={**os.environ, **_QUIET}, check=True, timeout=90)

    def _begin(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{kind}{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    f"distributed.cli.dask_{kind}",
                    "--host",
                    "127.0.0.1",
                    *words,
                ],
                cwd=self._folder,
                env={**os.environ, **_QUIET},
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def end(self) -> None:
        """End all of them."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def dask_cluster(folder: Path) -> Iterator[DaskCluster]:
    """Run a scheduler while a test lasts."""
    cluster = DaskCluster(folder)
    try:
        yield cluster
    finally:
        cluster.end()


def forget_sockets() -> None:
    """Collect the sockets that Dask leaves to the collector, or a later test is warned of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def workers_of(driver: int) -> list[int]:
    """Return the worker processes that a driver has started."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == driver and b"spawn_main" in words:
            found.append(int(folder.name))
    return sorted(found)
