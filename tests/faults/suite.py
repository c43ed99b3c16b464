"""The catalogue of faults, and the runner that tries them side by side and counts."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults import broken, edits, files, guard, hostile, node, power, wire
from tests.faults.claims import false_words, newest
from tests.faults.edits import take_out
from tests.faults.lane import Lane, Work, open_lane
from tests.lab import Lab
from tests.support.fleet import remember


@contextmanager
def _nothing(lane: Lane) -> Iterator[None]:
    del lane
    yield


ANY = frozenset({"old", "new"})


@dataclass(frozen=True)
class Fault:
    """One line of the table: what is done, how often, and in which states a node may end."""

    name: str
    tries: int
    work: Work
    around: node.Around = _nothing
    ends: frozenset[str] = ANY
    rollouts_only: bool = False
    """Whether the fault strikes at the new config, so that a try has to begin with the old."""


def _on_new(name: str, pair: tuple[Work, node.Around], end: str) -> Fault:
    return Fault(name, 10, *pair, ends=frozenset({end}), rollouts_only=True)


CATALOGUE = (
    Fault("fleet killed (signal 9), then resumed", 200, broken.killed),
    Fault("node's network cut, back before or after its guard fired", 50, wire.cut),
    Fault("node rebooted", 30, wire.rebooted),
    Fault("power of the node cut, its disk as of that instant", 40, power.cut, power.on_a_disk),
    Fault("sshd of the node killed with its sessions", 10, wire.sshd_killed),
    Fault("sshd full (MaxStartups)", 10, wire.sshd_full),
    Fault("connection hangs after auth", 10, wire.hangs_after_auth),
    Fault("connection hangs in the upload", 10, wire.hangs_in_upload),
    Fault("disk full under /etc", 10, *node.etc_full),
    Fault("disk full under /var/lib/fleet", 10, *node.var_full),
    Fault("/etc read-only", 10, *node.etc_read_only),
    Fault("no inodes under /etc", 10, *node.etc_inodes),
    Fault("no inodes under /var/lib/fleet", 10, *node.var_inodes),
    _on_new("containerd does not start with the new config", node.not_starting, "old"),
    _on_new("containerd starts, its CRI plugin does not load", node.no_cri, "old"),
    _on_new("containerd dies after 5 s", node.dies_later, "old"),
    _on_new("containerd takes 60 s to start", node.slow_start, "new"),
    _on_new("mirror dies during the verification pull", node.mirror_dies, "old"),
    _on_new("mirror hangs", node.mirror_hangs, "old"),
    _on_new("mirror answers 403 on blobs only", node.mirror_forbids, "old"),
    Fault("two rollouts at the same instant", 20, broken.two_at_once),
    Fault("disk of the journal full", 10, broken.journal_full),
    Fault("clock of the node a day off", 10, broken.clock_off),
    Fault("edit by hand at a random instant", 30, edits.at_any_instant),
    Fault("edit by hand in the moment of the swap", 10, edits.in_the_swap),
    Fault("edit by hand in the soak", 10, edits.in_the_soak),
    Fault("edit by hand in the moment of the revert", 10, edits.in_the_way_back),
    Fault("guard killed in mid-restore", 20, guard.killed),
    Fault("scripts of fleet killed on the node (out of memory)", 20, guard.out_of_memory),
    Fault("odd files: a folder, a FIFO, a device, 1 MiB, hard links", 20, *files.odd_files),
    Fault("two spellings of one path, links, shared folders", 20, *files.two_spellings),
    Fault("1 MB of hostile text in a file or an answer", 20, *hostile.texts),
)


@dataclass(frozen=True)
class Try:
    """How one try ended: in which state, how well, and what it took."""

    fault: str
    number: int
    node: str
    came_from: str
    found: str
    degraded: bool
    trouble: str
    seconds: float
    false: str = ""
    """What fleet said of the node that was not true of it."""

    @property
    def good(self) -> bool:
        """Return True where there is nothing to complain of."""
        return self.found in ANY and not (self.degraded or self.trouble or self.false)


@dataclass
class Table:
    """All tries so far."""

    tries: list[Try] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, one: Try) -> None:
        """Note a try, and tell of it."""
        with self.lock:
            self.tries.append(one)
            mark = "ok " if one.good else "BAD"
            where = f"{one.came_from} -> {one.found}"
            text = f"{mark} {one.fault} #{one.number} on {one.node}: {where}, {one.seconds:.0f} s"
            said = f" FALSE: {one.false}" if one.false else ""
            sys.stderr.write(f"{text}{' ' if one.trouble else ''}{one.trouble}{said}\n")

    def rows(self) -> Iterator[tuple[str, int, int, int, int, int, int]]:
        """Count: fault, tries, converged, old and working, degraded, lost bytes, false reports."""
        for fault in CATALOGUE:
            mine = [each for each in self.tries if each.fault == fault.name]
            if mine:
                moved = sum(each.good and each.found != each.came_from for each in mine)
                stayed = sum(each.good and each.found == each.came_from for each in mine)
                degraded = sum(each.degraded for each in mine)
                lost = sum(each.found not in ANY for each in mine)
                false = sum(bool(each.false) for each in mine)
                yield fault.name, len(mine), moved, stayed, degraded, lost, false

    def markdown(self) -> str:
        """Return the table for people."""
        lines = [
            "| fault | tries | converged | old and working | degraded | lost bytes"
            " | false reports |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        lines += [f"| {' | '.join(map(str, row))} |" for row in self.rows()]
        return "\n".join(lines)

    @property
    def good(self) -> bool:
        """Say whether every try ended well."""
        return bool(self.tries) and all(each.good for each in self.tries)


def attempt(lane: Lane, fault: Fault, number: int, seed: int) -> Try:
    """Try one fault once on one lane."""
    lane.dice = Random(f"{seed}/{fault.name}/{number}")
    began = time.monotonic()
    if fault.rollouts_only:
        lane.bring("old")
    with fault.around(lane):
        lane.came_from, lane.known, lane.spoke = lane.at, newest(lane.journal), None
        lane.mark, lane.late = "", False
        codes = fault.work(lane)
        seen = lane.where()
        kept = not lane.mark or take_out(lane)
        false = false_words(lane, codes, seen, lane.where() if lane.mark else seen)
        trouble = ""
        if not lane.quiet():
            trouble = "a change is still pending"
        if holder := lane.holder():
            lane.fleet("unlock", holder, "-y")
        found = lane.where() if kept else "lost: the edit of a hand"
        degraded = 5 in codes or not lane.well()
        if found in ANY:
            lane.at = found
            if found not in fault.ends:
                trouble = f"ended {found}"
        left = lane.left()
        trouble = trouble or (f"left {left}" if left else "")
        trouble = f"{trouble} codes {codes}" if trouble or degraded or found not in ANY else ""
    seconds = time.monotonic() - began
    return Try(
        fault.name, number, lane.node.name, lane.came_from, found, degraded, trouble.strip(),
        seconds, false,
    )  # fmt: skip


def run(lab: Lab, folder: Path, plan: Sequence[tuple[Fault, int]], seed: int, table: Table) -> None:
    """Try every fault so often, on all nodes of the lab side by side."""
    lanes = [open_lane(lab, each, folder / each.name) for each in lab.nodes.values()]
    work: list[list[tuple[Fault, int]]] = [[] for _ in lanes]
    for row, (fault, tries) in enumerate(plan):
        for number in range(tries):
            work[(number + row) % len(lanes)].append((fault, number))
    threads = [
        threading.Thread(target=_on_lane, args=(lane, mine, seed, table))
        for lane, mine in zip(lanes, work, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _on_lane(lane: Lane, work: Iterable[tuple[Fault, int]], seed: int, table: Table) -> None:
    ready = False
    for fault, number in work:
        try:
            if not ready:
                _afresh(lane)
                ready = True
            one = attempt(lane, fault, number, seed)
        except Exception:  # noqa: BLE001 - the suite's own trouble is a bad try, and no reason to end
            told = traceback.format_exc(limit=-3)
            one = Try(fault.name, number, lane.node.name, lane.at, "?", False, told, 0)
        finally:
            lane.stop()
        table.add(one)
        ready = one.good


def _afresh(lane: Lane) -> None:
    """Begin anew on a node: as it came from its suite, both states learnt."""
    lane.node.heal()
    lane.lab.reset([lane.node.name])
    remember(lane.node)
    lane.at, lane.new, lane.took, lane.flags = "old", {}, {}, ()
    lane.prepare()
