"""The benchmarks' commands: `python3 -m benchmarks peers`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import latency, report, scale
from benchmarks.compare import Plan, compare, lab_of
from benchmarks.environment import prepare
from benchmarks.machine import caption, commit
from benchmarks.peers import chosen
from benchmarks.sample import Sample
from benchmarks.store import Store
from benchmarks.work import ROOT
from tests.lab.host import LabError

_STORES = ROOT / "build" / "benchmarks"
_QUICK = "sshtar-cv,fleet,fleet-bare,pyinfra,ansible-min"
_ALL = f"{_QUICK},ansible-tuned"
_NEAR = "sshtar-cv,fleet,fleet-bare"


def _peers(given: argparse.Namespace) -> int:
    sizes = given.nodes or ([4, 16] if given.quick else [1, 4, 16])
    plan = Plan(
        sizes=tuple(sizes),
        peers=chosen(given.peers or (_QUICK if given.quick else _ALL)),
        rounds=(given.rounds,) * 3 if given.rounds else (3, 1, 1) if given.quick else (5, 2, 1),
        batches=not given.quick,
        seconds=given.seconds or (240 if given.quick else 3600),
    )
    store = _store(given, "peers")
    compare(plan, store)
    text = f"{report.comparison(store.samples)}\n{caption()}\n"
    _tell(given, "peers", text, _data(store.samples))
    return _complain(store)


def _latency(given: argparse.Namespace) -> int:
    sizes = given.nodes or [1, 16]
    texts, data, wrong = [], [], False
    lab = lab_of(max(sizes))
    for size in sizes:
        names = given.peers or (_NEAR if size > 1 else _QUICK if given.quick else _ALL)
        who = chosen(names)
        rounds = given.rounds or (1 if given.quick or size == 1 else 3)
        runs = latency.latency(lab, size, who, given.round_trip, rounds)
        found = latency.rows(runs, given.round_trip)
        wrong = wrong or len(found) < len(who)
        texts.append(latency.table(found, size, given.round_trip))
        data += [{"nodes": size, **dataclasses.asdict(row)} for row in found]
    text = "\n".join(texts) + f"\n{caption()}\n"
    _tell(given, "latency", text, {"about": caption(), "rows": data})
    return int(wrong)


def _scale(given: argparse.Namespace) -> int:
    sizes = given.nodes or ([48, 1000] if given.quick else [48, 1000, 5000])
    store = _store(given, "scale")
    seconds = given.seconds or (240 if given.quick else 3600)
    scale.scale(sizes, given.rounds or (1 if given.quick else 3), seconds, store)
    text = f"{scale.table(store.samples)}\n{caption()}\n"
    _tell(given, "scale", text, _data(store.samples))
    return _complain(store)


def _complain(store: Store) -> int:
    wrong = report.failures(store.samples)
    for each in wrong:
        sys.stderr.write(f"BAD: {each}\n")
    return 1 if wrong else 0


def _store(given: argparse.Namespace, kind: str) -> Store:
    path = given.store or _STORES / f"{kind}-{commit()}.jsonl"
    if given.fresh or (commit().endswith("-dirty") and not given.store):
        path.unlink(missing_ok=True)  # samples of another tree are no samples of this one
    return Store(path)


def _data(samples: list[Sample]) -> dict[str, Any]:
    return {
        "about": caption(),
        "figures": [dataclasses.asdict(each) for each in report.all_figures(samples)],
        "samples": [dataclasses.asdict(each) for each in samples],
    }


def _tell(given: argparse.Namespace, section: str, text: str, data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, indent=1) if given.json else text)
    if given.write:
        page = given.write.read_text()
        given.write.write_text(report.placed(page, section, text))


def _shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one document on stdout")
    parser.add_argument("--write", type=Path, help="put the tables into this page as well")
    parser.add_argument("--store", type=Path, help="where samples are kept as they come")
    parser.add_argument("--fresh", action="store_true", help="forget what the store holds")
    parser.add_argument("--quick", action="store_true", help="less of all, within five minutes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    peers = commands.add_parser("peers", help="fleet beside its peers and beside the limit")
    _shared(peers)
    peers.add_argument("--nodes", type=int, action="append", help="so many; more than once")
    peers.add_argument("--peers", help="these alone, parted by commas")
    peers.add_argument("--rounds", type=int, help="so many of each")
    peers.add_argument("--seconds", type=float, help="begin no further round after so long")
    peers.set_defaults(work=_peers)
    far = commands.add_parser("latency", help="the work over a delay; connections, turns, bytes")
    _shared(far)
    far.add_argument("--nodes", type=int, action="append", help="so many; more than once")
    far.add_argument("--peers", help="these alone, parted by commas")
    far.add_argument("--rounds", type=int, help="so many of each")
    far.add_argument("--round-trip", type=float, default=0.05, help="seconds")
    far.set_defaults(work=_latency)
    many = commands.add_parser("scale", help="probe thousands of cheap nodes")
    _shared(many)
    many.add_argument("--nodes", type=int, action="append", help="so many; more than once")
    many.add_argument("--rounds", type=int, help="so many of each")
    many.add_argument("--seconds", type=float, help="begin nothing more after so long")
    many.set_defaults(work=_scale)
    return parser


def main() -> int:
    """Run one of the benchmarks; the exit code is 1 where an end state was not reached."""
    given = _parser().parse_args()
    try:
        prepare()
        return int(given.work(given))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
