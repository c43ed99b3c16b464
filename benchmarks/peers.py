"""Who is compared, and the command line of each for every scenario."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.environment import tool
from benchmarks.work import ROOT, Work
from tests.lab.host import LabError

DRY = "Wd"
FIRST = "W"
AGAIN = "W0"
BATCHES = "b25"
SCENARIOS = (DRY, FIRST, AGAIN, BATCHES)
"""A dry run with diffs; the work; the work again, with nothing to do; in batches of a quarter."""

Words = Callable[[Work, str], list[str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """One that does the work."""

    name: str
    words: Words
    pace: int = 0
    """0 is quick; what takes minutes is run less often, and not in batches."""
    python: bool = False
    """Whether it needs Python on the nodes."""
    env: Mapping[str, str] = field(default_factory=dict)


def quarter(nodes: int) -> int:
    """Return the size of a batch."""
    return max(1, nodes // 4)


def _limit(work: Work, scenario: str) -> list[str]:
    size = quarter(len(work.nodes)) if scenario == BATCHES else len(work.nodes)
    mode = "diff" if scenario == DRY else "apply"
    about = (mode, str(size), str(work.ssh_config), "limit.tar.gz")
    return ["sh", "limit.sh", *about, *work.names]


def _fleet(*more: str) -> Words:
    def words(work: Work, scenario: str) -> list[str]:
        count = len(work.nodes)
        size = f"{quarter(count)}" if scenario == BATCHES else "100%"
        about = ("--batch", size, "--parallel", str(count), "--soak", "0", "--pause", "0", *more)
        end = "--dry-run" if scenario == DRY else "-y"
        return [sys.executable, "-m", "fleet", "rollout", end, *about]

    return words


def _ansible(book: str) -> Words:
    def words(work: Work, scenario: str) -> list[str]:
        found = [tool("ansible-playbook"), "-e", "@variables.json", book]
        if scenario == DRY:
            found += ["--check", "--diff"]
        if scenario == BATCHES:
            found += ["-e", f"serial={quarter(len(work.nodes))}"]
        return found

    return words


def _pyinfra(work: Work, scenario: str) -> list[str]:
    found = [tool("pyinfra"), "nodes.py", "deploy.py"]
    if scenario == DRY:
        return [*found, "--dry", "--diff"]
    if scenario != BATCHES:
        return [*found, "-y", "--parallel", str(len(work.nodes))]
    size = quarter(len(work.nodes))
    batches = [work.names[at : at + size] for at in range(0, len(work.names), size)]
    # It knows no batches: one call for each.
    calls = [" ".join((*found, "-y", *(f"--limit {name}" for name in batch))) for batch in batches]
    return ["sh", "-c", " && ".join(calls)]


def _known_flags() -> str:
    words = [sys.executable, "-m", "fleet", "rollout", "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def peers() -> dict[str, Peer]:
    """Return all that can be compared, by name, the quickest first."""
    bare = ["--guard", "0"]
    if "--no-liveness" in _known_flags():
        bare.append("--no-liveness")
    quiet = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"}
    found = (
        Peer("sshtar-cv", _limit),
        Peer("fleet", _fleet()),
        Peer("fleet-bare", _fleet(*bare)),
        Peer("pyinfra", _pyinfra, pace=1),
        Peer("ansible-min", _ansible("squeezed.yml"), pace=1, python=True, env=quiet),
        Peer("ansible-tuned", _ansible("tuned.yml"), pace=2, python=True, env=quiet),
    )
    return {peer.name: peer for peer in found}


def chosen(names: str) -> list[Peer]:
    """Return the peers that a comma-separated list names; raise a LabError for a stranger."""
    known = peers()
    wanted = names.split(",")
    if strangers := [name for name in wanted if name not in known]:
        raise LabError(f"unknown peer {', '.join(strangers)}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


def environment(peer: Peer, work: Work) -> dict[str, str]:
    """Return the variables that a peer's process gets."""
    path = f"{work.folder}:{os.environ.get('PATH', '')}"
    return {
        "PATH": path,
        "FLEET_SSH_CONFIG": str(work.ssh_config),
        "PYTHONPATH": str(ROOT),
        "ANSIBLE_CONFIG": str(work.folder / "ansible.cfg"),
        **peer.env,
    }
