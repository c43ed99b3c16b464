"""Reading very many nodes: threads and processes of fleet beside AsyncSSH, on a farm."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Ran, run
from benchmarks.compare import last_words, told
from benchmarks.environment import tool
from benchmarks.farm import PORT, Farm, farm
from benchmarks.sample import Key, Sample, figures, turned
from benchmarks.store import Store
from benchmarks.work import RECIPES, ROOT
from tests.lab.host import say

PROBE = "probe"
_PARALLEL = "64"


@dataclass(frozen=True, slots=True)
class Reader:
    """One that reads all nodes, and how to tell that it has read them."""

    name: str
    words: Callable[[Farm], list[str]]
    read: Callable[[str], int]
    """How many nodes the output tells of."""


def readers() -> list[Reader]:
    """Return who is compared; the engines are those that this fleet has."""
    helped = subprocess.run(
        [sys.executable, "-m", "fleet", "probe", "--help"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    engines: list[tuple[str, tuple[str, ...]]] = [("fleet", ())]
    if "--engine" in helped.stdout:
        engines = [(f"fleet, {each}", ("--engine", each)) for each in ("threads", "processes")]
    return [
        *(Reader(name, _fleet(more), _read_by_fleet) for name, more in engines),
        Reader("asyncssh", _asyncssh, lambda _: -1),
    ]


def _fleet(more: Sequence[str]) -> Callable[[Farm], list[str]]:
    about = ("probe", "-q", "--json", "--parallel", _PARALLEL, *more)
    return lambda _: [sys.executable, "-m", "fleet", *about]


def _read_by_fleet(output: str) -> int:
    try:
        nodes = json.loads(output)["nodes"]
    except (ValueError, KeyError):
        return 0
    return sum(1 for each in nodes.values() if not each.get("failure"))


def _asyncssh(place: Farm) -> list[str]:
    script = RECIPES / "exec_all.py"
    return [tool("python"), str(script), _PARALLEL, "root", str(place.key), str(PORT)]


def scale(sizes: Sequence[int], rounds: int, seconds: float, store: Store) -> None:
    """Read so many nodes with each reader, in turn; begin nothing more when the time is over."""
    until = time.monotonic() + seconds
    who = readers()
    with farm() as place:
        for number in range(rounds):
            for size in sizes:
                for reader in turned(who, number):
                    if time.monotonic() > until:
                        say("the time is over: nothing more is begun")
                        return
                    key = Key(nodes=size, scenario=PROBE, peer=reader.name)
                    if not store.has(key, number):
                        store.add(_measured(place, reader, key, number))
                        say(told(store.samples[-1]))


def _measured(place: Farm, reader: Reader, key: Key, number: int) -> Sample:
    folder = Path(tempfile.mkdtemp(prefix="fleet-bench-"))
    try:
        place.lay_out(folder, key.nodes)
        env = {"FLEET_SSH_CONFIG": str(folder / "ssh_config"), "PYTHONPATH": str(ROOT)}
        ran = run((*place.inside, *reader.words(place)), folder, env, seconds=3600)
    finally:
        shutil.rmtree(folder)
    return ran.sample(key, number, _trouble(ran, reader, key.nodes))


def _trouble(ran: Ran, reader: Reader, size: int) -> str:
    if ran.code not in {0, 1}:
        return f"exit code {ran.code}: {last_words(ran)}"
    count = reader.read(ran.output)
    if count == -1:
        return "" if ran.code == 0 else last_words(ran)
    return "" if count == size else f"read {count} of {size}: {last_words(ran)}"


def table(samples: Sequence[Sample]) -> str:
    """Return the table for people."""
    lines = [
        "| nodes | reader | runs | wall s | nodes a s | client CPU s | ms a node | client MB |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    keys = sorted({each.key for each in samples}, key=lambda key: (key.nodes, key.peer))
    for key in keys:
        found = figures(each for each in samples if each.key == key)
        if found is None:
            continue
        cells = (
            f"{key.nodes}",
            key.peer,
            found.marked,
            f"{found.wall:.1f}",
            f"{key.nodes / found.wall:.0f}",
            f"{found.client_cpu:.1f}",
            f"{1000 * found.client_cpu / key.nodes:.1f}",
            f"{found.client_mb:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
