"""The nodes' state: put back before a run, and compared with what the work asks for after it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import DRY
from benchmarks.work import IMAGE, Work
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.lab.registry import Access
from tests.support.fleet import make_pristine

_LIVE = "etc/containerd"
_PLUGIN = "io.containerd.grpc.v1.cri"
_ASK = """
systemctl show containerd -p MainPID --value
ctr plugins ls id==cri 2>/dev/null | grep -c '^io.containerd.grpc.v1 .* ok'
"""


@dataclass(frozen=True, slots=True)
class Before:
    """What was there before a run: each node's daemon, and when it began."""

    daemons: dict[str, str]
    since: float


def put_back(lab: Lab) -> None:
    """Bring nodes to where they came from; a reboot would take longer."""
    make_pristine(lab)
    for node in lab.nodes.values():
        assert not (node.root / _LIVE / "certs.d").exists()


def look(work: Work, since: float) -> Before:
    """Note which daemons run."""
    return Before({name: said[0] for name, said in _asked(work)}, since)


def _asked(work: Work) -> Iterator[tuple[str, list[str]]]:
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda node: node.sh(_ASK, check=False).stdout.splitlines(), work.nodes)
        yield from zip(work.names, answers, strict=True)


def trouble(work: Work, lab: Lab, scenario: str, before: Before, *, fresh: bool) -> str:
    """Say what of the end state is missing; nothing where all is as it should be.

    `fresh` says that the run began on nodes as they came, so that it had work to do.
    """
    asked = dict(_asked(work))
    # fleet takes its proof away again, so the registry is asked and not the node.
    pulled = {each.remote for each in lab.registry.access(before.since) if _is_layer(each)}
    for node in work.nodes:
        said = asked[node.name]
        restarted = said[0] != before.daemons[node.name]
        if missing := _missing(node, work, changed=scenario != DRY):
            return f"{node.name}: {missing}"
        if restarted != (fresh and scenario != DRY):
            return f"{node.name}: containerd was {'' if restarted else 'not '}restarted"
        if said[1:2] != ["1"]:
            return f"{node.name}: CRI is not healthy"
        if fresh and scenario != DRY and node.address not in pulled:
            return f"{node.name}: {IMAGE} was not pulled through the mirror"
    return ""


def _is_layer(each: Access) -> bool:
    return each.method == "GET" and "/library/busybox/blobs/" in each.path and each.status == 200


def _missing(node: LabNode, work: Work, *, changed: bool) -> str:
    live, shipped = node.root / _LIVE, (node.root / "root/config.toml").read_bytes()
    now = (live / "config.toml").read_bytes()
    if not changed:
        touched = now != shipped or (live / "certs.d").exists()
        return "a dry run changed it" if touched else ""
    hosts = {path.parent.name: path.read_bytes() for path in live.glob("certs.d/*/hosts.toml")}
    if hosts != work.hosts:
        return f"{len(hosts)} hosts.toml, of which some are not as they should be"
    if not same_but_for_registry(shipped.decode(), now.decode()):
        return "config.toml is not the old one with config_path"
    return "" if _kept(node.root, shipped) else "the old config.toml is kept nowhere"


def same_but_for_registry(shipped: str, now: str) -> bool:
    """Say whether a config.toml is the shipped one, with config_path and nothing else."""
    old, new = tomllib.loads(shipped), tomllib.loads(now)
    registry: Any = new["plugins"][_PLUGIN].pop("registry", None)
    return registry == {"config_path": "/etc/containerd/certs.d"} and old == new


def _kept(root: Path, content: bytes) -> bool:
    places = (root / _LIVE, root / "var/lib/fleet/generations")
    found = (path for place in places for path in place.rglob("*") if path.is_file())
    return any(path.read_bytes() == content for path in found)
