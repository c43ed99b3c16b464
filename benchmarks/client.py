"""Running a client in a group of its own: wall time, CPU and memory of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sample import Key, Sample
from tests.lab.host import cgroup_processes, cgroup_root, empty_cgroup, lab_name, make_cgroup

_GROUP = "bench-client"
_ENTRY = 'echo $$ >"$0"; exec "$@"'
_CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Ran:
    """How a client ended, and what it took; `foreign` is the share of all cores others took."""

    code: int
    output: str
    wall: float
    cpu: float
    peak_mb: float
    lab_cpu: float
    foreign: float

    def sample(self, key: Key, number: int, trouble: str) -> Sample:
        """Return it as one run of a round."""
        return Sample(
            key=key,
            round=number,
            wall=self.wall,
            client_cpu=self.cpu,
            client_mb=self.peak_mb,
            node_cpu=self.lab_cpu,
            foreign=self.foreign,
            trouble=trouble,
        )


def run(words: Sequence[str], folder: Path, env: Mapping[str, str], *, seconds: float = 600) -> Ran:
    """Run a client to its end in `folder`; what it leaves behind is ended and counted as well."""
    group = make_cgroup(_GROUP)
    busy, labs, ours = _busy(), cpu_of(group.parent), time.process_time()
    began, own = time.monotonic(), cpu_of(group)
    with (folder / "output").open("wb") as output, _Watch(group) as watch:
        started = subprocess.Popen(
            ["sh", "-c", _ENTRY, str(group / "cgroup.procs"), *words],
            cwd=folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        code = _ended(started, seconds)
        wall = time.monotonic() - began
    cpu, lab = cpu_of(group) - own, cpu_of(group.parent) - labs
    others = _busy() - busy - lab - (time.process_time() - ours)
    empty_cgroup(_GROUP)
    return Ran(
        code=code,
        output=(folder / "output").read_text(errors="replace"),
        wall=wall,
        cpu=cpu,
        peak_mb=watch.peak / 1024,
        lab_cpu=lab - cpu,
        foreign=max(0.0, others / (wall * _CORES)),
    )


def _ended(started: subprocess.Popen[bytes], seconds: float) -> int:
    try:
        return started.wait(seconds)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
        return 124


def node_group(name: str) -> Path:
    """Return the group that holds every process of a node."""
    return cgroup_root() / lab_name() / name


def cpu_of(group: Path) -> float:
    """Return the CPU seconds, user and system, that a group has taken so far."""
    try:
        first = (group / "cpu.stat").read_text().split()
    except OSError:
        return 0.0
    return int(first[1]) / 1e6


def _busy() -> float:
    """Return the seconds that all cores together have worked for processes since the boot."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system = (int(each) for each in words[1:4])
    stolen = int(words[8])
    return (user + nice + system + stolen) / os.sysconf("SC_CLK_TCK")


class _Watch:
    """The most memory that a group's processes held together: shared pages count once (PSS)."""

    def __init__(self, group: Path) -> None:
        self.peak = 0
        self._group = group
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        pause = 0.05
        while not self._done.wait(pause):
            began = time.thread_time()
            self.peak = max(self.peak, sum(map(_kilobytes, cgroup_processes(self._group))))
            # Walking the pages of many processes costs; it may take a fiftieth of a core.
            pause = max(0.05, 50 * (time.thread_time() - began))


def _kilobytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:"), 0)
