"""All peers side by side on the lab's nodes, interleaved, the end state checked after each run."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Ran, run
from benchmarks.environment import give_python
from benchmarks.peers import AGAIN, BATCHES, DRY, FIRST, Peer, environment
from benchmarks.sample import Key, Sample, turned
from benchmarks.state import look, put_back, trouble
from benchmarks.store import Store
from benchmarks.work import MIX, Work, lay_out
from tests.lab import Lab
from tests.lab.host import say
from tests.support.fleet import remember


@dataclass(frozen=True, slots=True)
class Plan:
    """How many nodes, who, how often, and which scenarios; slow peers may run less often."""

    sizes: tuple[int, ...]
    peers: Sequence[Peer]
    rounds: tuple[int, int, int]
    """By the peers' pace."""
    batches: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one size is measured."""

    lab: Lab
    work: Work
    store: Store


def compare(plan: Plan, store: Store) -> None:
    """Run what the store does not hold yet; begin no further round when the time is over."""
    until = time.monotonic() + plan.seconds
    whole = lab_of(max(plan.sizes))
    if any(peer.python for peer in plan.peers):
        whole.each(give_python)
    # The first round of every size comes before the second of any: a run cut short has all rows.
    for number in range(max(plan.rounds)):
        for size in plan.sizes:
            if number and time.monotonic() > until:
                say("the time is over: no further round")
                return
            _round(plan, whole, size, number, store)


def lab_of(size: int) -> Lab:
    """Boot the nodes, or take those that are up."""
    lab = Lab.up(size, MIX)
    for node in lab.nodes.values():
        remember(node)
    return lab


def _round(plan: Plan, whole: Lab, size: int, number: int, store: Store) -> None:
    nodes = dict(list(whole.nodes.items())[:size])
    lab = Lab(nodes, whole.password)
    folder = Path(tempfile.mkdtemp(prefix="fleet-bench-"))
    try:
        work = lay_out(folder / "work", lab, tuple(nodes.values()), lab.ssh_config)
        for peer in turned(plan.peers, number):
            if number < plan.rounds[peer.pace]:
                for chain in _chains(plan, peer):
                    _chain(_Place(lab, work, store), peer, chain, number)
    finally:
        shutil.rmtree(folder)


def _chains(plan: Plan, peer: Peer) -> Iterator[tuple[str, ...]]:
    """Yield the scenarios that follow one another without putting the nodes back."""
    yield DRY, FIRST, AGAIN
    if plan.batches and peer.pace < 2:
        yield (BATCHES,)


def _chain(place: _Place, peer: Peer, chain: tuple[str, ...], number: int) -> None:
    size = len(place.work.nodes)
    keys = [Key(nodes=size, scenario=each, peer=peer.name) for each in chain]
    if all(place.store.has(key, number) for key in keys):
        return
    put_back(place.lab)
    shutil.rmtree(place.work.folder / ".fleet", ignore_errors=True)
    for key in keys:
        sample = measure(place.lab, place.work, peer, key, number)
        place.store.add(sample)
        say(told(sample))
        if sample.trouble:
            return


def measure(lab: Lab, work: Work, peer: Peer, key: Key, number: int) -> Sample:
    """Run a peer once and look at what became of the nodes."""
    before = look(work, time.time())
    ran = run(peer.words(work, key.scenario), work.folder, environment(peer, work))
    wrong = "" if ran.code == 0 else f"exit code {ran.code}: {last_words(ran)}"
    fresh = key.scenario != AGAIN
    wrong = wrong or trouble(work, lab, key.scenario, before, fresh=fresh)
    return ran.sample(key, number, wrong)


def last_words(ran: Ran) -> str:
    """Return the end of what a client said."""
    return " | ".join(ran.output.strip().splitlines()[-6:])[-600:]


def told(sample: Sample) -> str:
    """Return the line of progress of a run."""
    key = sample.key
    where = f"N={key.nodes} {key.scenario} {key.peer} #{sample.round + 1}"
    if sample.trouble:
        return f"{where}: BAD: {sample.trouble}"
    mark = " ~" if sample.disturbed else ""
    about = f"client {sample.client_cpu:.2f} s {sample.client_mb:.0f} MB"
    nodes = f"nodes {sample.node_cpu / key.nodes:.2f} s each"
    return f"{where}: {sample.wall:.2f} s, {about}, {nodes}, others {sample.foreign:.0%}{mark}"
