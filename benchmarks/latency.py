"""The work over a long way: what round trips cost, and how many connections, turns and bytes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.ceilings import Cost, cost
from benchmarks.compare import measure, told
from benchmarks.environment import give_python
from benchmarks.peers import FIRST, Peer
from benchmarks.report import LIMIT
from benchmarks.sample import Key, Sample, turned
from benchmarks.state import put_back
from benchmarks.work import lay_out
from tests.lab import Lab
from tests.lab.host import say
from tests.support.wire import Manner, Ways

GOAL = 1.2
"""How much longer than the limit and its own round trips a pass may take."""


@dataclass(frozen=True, slots=True)
class Far:
    """One run over ways whose round trip takes so many seconds."""

    sample: Sample
    round_trip: float
    cost: Cost
    up: float
    down: float
    """Bytes a node."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one peer came to: medians, seconds; `least` is what its round trips alone allow."""

    peer: str
    near: float
    far: float
    least: float
    cost: Cost
    up: float
    down: float

    @property
    def turns(self) -> int:
        """Return the turns of all connections of a node."""
        return self.cost.main + self.cost.second


def latency(
    whole: Lab, size: int, peers: Sequence[Peer], round_trip: float, rounds: int
) -> list[Far]:
    """Run the work near and far, in turn."""
    if any(peer.python for peer in peers):
        whole.each(give_python)
    return [
        far
        for number in range(rounds)
        for peer in turned(peers, number)
        for seconds in (0.0, round_trip)
        for far in _far(whole, size, peer, seconds, number)
    ]


def _far(whole: Lab, size: int, peer: Peer, seconds: float, number: int) -> Iterator[Far]:
    nodes = dict(list(whole.nodes.items())[:size])
    lab, folder = Lab(nodes, whole.password), Path(tempfile.mkdtemp(prefix="fleet-bench-"))
    put_back(lab)
    try:
        with Ways(lab, folder / "way", nodes.values(), Manner(seconds)) as ways:
            work = lay_out(folder / "work", lab, tuple(nodes.values()), ways.ssh_config)
            key = Key(nodes=size, scenario=FIRST, peer=peer.name)
            sample = measure(lab, work, peer, key, number)
            say(f"{seconds * 1000:.0f} ms: {told(sample)}")
            tallies = ways.tallies()
    finally:
        shutil.rmtree(folder)
    if not sample.trouble:
        all_of_them = [tally for each in tallies.values() for tally in each]
        up, down = (sum(getattr(t, way) for t in all_of_them) / size for way in ("up", "down"))
        yield Far(sample, seconds, cost(tallies.values()), up, down)


def rows(runs: Sequence[Far], round_trip: float) -> list[Row]:
    """Return the medians of each peer, and what the limit and its round trips would take."""
    names = list(dict.fromkeys(run.sample.key.peer for run in runs))
    limit = _wall(runs, LIMIT, 0.0)
    found = []
    for name in names:
        far = [run for run in runs if run.sample.key.peer == name and run.round_trip]
        if not far:
            continue
        least = min((run.cost for run in far), key=lambda each: each.main + each.second)
        trips = least.main + least.second + least.connections
        row = Row(
            peer=name,
            near=_wall(runs, name, 0.0),
            far=_wall(runs, name, round_trip),
            least=limit + trips * round_trip,
            cost=least,
            up=median(run.up for run in far),
            down=median(run.down for run in far),
        )
        found.append(row)
    return sorted(found, key=lambda row: row.far)


def _wall(runs: Sequence[Far], name: str, round_trip: float) -> float:
    walls = [
        r.sample.wall for r in runs if r.sample.key.peer == name and r.round_trip == round_trip
    ]
    return median(walls) if walls else 0.0


def table(found: Sequence[Row], size: int, round_trip: float) -> str:
    """Return the table for people; a goal that was missed is told by its ratio."""
    far = f"{round_trip * 1000:.0f} ms"
    lines = [
        f"**W, {size} node{'s' if size > 1 else ''}, {far} of round trip**",
        "",
        f"| peer | wall s at 0 ms | at {far} | / (limit at 0 ms + round trips) |"
        " connections | turns | KB up | KB down |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found:
        cells = (
            row.peer,
            f"{row.near:.2f}",
            f"{row.far:.2f}",
            f"{row.far / row.least:.2f}",
            f"{row.cost.connections}",
            f"{row.turns}",
            f"{row.up / 1000:.1f}",
            f"{row.down / 1000:.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
