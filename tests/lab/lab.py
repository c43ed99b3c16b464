"""The lab as a whole: up, down, reset, and what it remembers while it is up."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab import network
from tests.lab.crictl import build_crictl
from tests.lab.host import (
    LabError,
    cache_folder,
    cgroup_processes,
    cgroup_root,
    empty_cgroup,
    exclusive,
    lab_name,
    remove_cgroup,
    remove_folder,
    remove_traces,
    require_host,
    run,
    say,
    state_folder,
)
from tests.lab.kubernetes import Cluster, build_kubernetes
from tests.lab.node import LabNode
from tests.lab.registry import FLAKY_NAMES, Registry, make_authority, mirror_names
from tests.lab.rootfs import SUITES, build

_SSH_CONFIG = """\
Host {names}
    User ops
    IdentityFile {folder}/key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    StrictHostKeyChecking yes
"""


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up."""

    nodes: Mapping[str, LabNode]
    password: str

    registry = Registry("registry", network.REGISTRY)
    flaky = Registry("flaky", network.FLAKY)

    @property
    def ssh_config(self) -> Path:
        """Return an ssh_config that knows every node."""
        return state_folder() / "ssh_config"

    @property
    def key(self) -> Path:
        """Return the private key that every user of every node lets in."""
        return state_folder() / "key"

    @property
    def authority(self) -> Path:
        """Return the certificate of the lab's authority."""
        return state_folder() / "tls" / "ca.crt"

    @property
    def cluster(self) -> Cluster | None:
        """Return the lab's Kubernetes, if it was booted with one."""
        cluster = Cluster.of(self.nodes)
        return cluster if cluster.kubeconfig.is_file() else None

    @classmethod
    def load(cls) -> Lab:
        """Return the lab that is up; raise a LabError where there is none."""
        try:
            state = json.loads((state_folder() / "state.json").read_text())
        except OSError as error:
            raise LabError("no lab is up: `python3 -m tests.lab up` boots one") from error
        nodes = (LabNode(**each) for each in state["nodes"])
        return cls({node.name: node for node in nodes}, state["password"])

    @classmethod
    def up(cls, count: int = 4, mix: tuple[str, ...] = SUITES, *, kubernetes: bool = False) -> Lab:
        """Boot a lab, or return the one that is up if it has the same nodes."""
        require_host()
        wanted = wanted_nodes(count, mix)
        mirror_names()  # complains before anything is touched
        if (present := cls._present()) is not None:
            same = tuple(present.nodes.values()) == wanted
            if same and (present.cluster is not None) == kubernetes:
                say(f"the lab is up already: {', '.join(present.nodes)}")
                return present
            say("another lab is up: taking it down first")
        cls.down(quiet=present is None)
        suites = tuple(node.suite for node in wanted)
        with exclusive(".nodes.lock"):
            build(suites)
            build_crictl(suites)
        if kubernetes:
            build_kubernetes()
        return cls._boot(wanted, kubernetes=kubernetes)

    @classmethod
    def _present(cls) -> Lab | None:
        try:
            lab = cls.load()
            for node in lab.nodes.values():
                node.pid()
        except LabError:
            return None
        made_by = state_folder() / "code"
        if not made_by.is_file() or made_by.read_text() != _code():
            return None
        return lab if lab.registry.answers() and lab.flaky.answers() else None

    @classmethod
    def _boot(cls, wanted: tuple[LabNode, ...], *, kubernetes: bool) -> Lab:
        lab = cls({node.name: node for node in wanted}, secrets.token_urlsafe(12))
        folder = state_folder()
        folder.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleet-lab", "-f", lab.key)
        network.make_bridge()
        make_authority(folder / "tls")
        for registry in (lab.registry, lab.flaky):
            registry.start(folder / "tls")
        lab.registry.fill()
        lab.each(lambda node: network.make_namespace(node.name, node.address))
        lab.each(lab._prepare)
        lab.each(LabNode.start)
        lab.each(LabNode.wait)
        if kubernetes:
            Cluster.of(lab.nodes).start()
        lab._remember()  # last, so that a boot cut short is never taken for a lab
        say(f"up: {', '.join(lab.nodes)}")
        return lab

    def each(
        self, action: Callable[[LabNode], object], nodes: Iterable[LabNode] | None = None
    ) -> None:
        """Do something to every node, four at a time."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(action, self.nodes.values() if nodes is None else nodes))

    def _prepare(self, node: LabNode) -> None:
        key = self.key.with_suffix(".pub").read_text()
        node.prepare(_hosts(), self.authority.read_text(), key, self.password)

    def _remember(self) -> None:
        folder = state_folder()
        known = []
        for node in self.nodes.values():
            public = (node.folder / "keys" / "ssh_host_ed25519_key.pub").read_text().split()
            hosts = f"{node.name},{node.address},{network.address6(node.address)}"
            known.append(f"{hosts} {public[0]} {public[1]}\n")
        (folder / "known_hosts").write_text("".join(known))
        names = " ".join(
            f"{node.name} {node.address} {network.address6(node.address)}"
            for node in self.nodes.values()
        )
        blocks = [_SSH_CONFIG.format(names=names, folder=folder)]
        blocks += [f"Host {n.name}\n    HostName {n.address}\n" for n in self.nodes.values()]
        self.ssh_config.write_text("".join(blocks))
        nodes = [
            {"name": node.name, "suite": node.suite, "address": node.address}
            for node in self.nodes.values()
        ]
        (folder / "code").write_text(_code())
        state = folder / "state.json"
        state.touch(mode=0o600)
        state.write_text(json.dumps({"nodes": nodes, "password": self.password}, indent=2))

    def reset(self, names: Iterable[str] = ()) -> None:
        """Put nodes back to what they were when the lab came up."""
        chosen = [self.node(name) for name in (tuple(names) or tuple(self.nodes))]
        self.each(self._reset, chosen)
        say(f"reset: {', '.join(node.name for node in chosen)}")

    def _reset(self, node: LabNode) -> None:
        node.stop()
        node.wipe()
        self._prepare(node)
        node.start()
        node.wait()
        if (cluster := self.cluster) is not None:
            cluster.join(node)

    def node(self, name: str) -> LabNode:
        """Return a node by name."""
        if name not in self.nodes:
            raise LabError(f"the lab has no node {name}; it has {', '.join(self.nodes)}")
        return self.nodes[name]

    @staticmethod
    def down(*, cache: bool = False, quiet: bool = False) -> None:
        """Take everything away, also what a crash left: processes, mounts, network, files."""
        require_host()
        root = cgroup_root() / lab_name()
        if root.is_dir():
            for group in sorted(path.name for path in root.iterdir() if path.is_dir()):
                empty_cgroup(group)
                remove_traces(group)
            remove_cgroup(root)
        remove_traces()
        network.remove_everything()
        remove_folder(state_folder())
        if cache:
            shutil.rmtree(cache_folder(), ignore_errors=True)
        if not quiet:
            say("the lab is down")


def _code() -> str:
    """Return the digest of the lab's own code: what another one has made is no lab of ours."""
    files = sorted(
        path for path in Path(__file__).parent.rglob("*") if path.suffix in {".py", ".go"}
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def wanted_nodes(count: int, mix: tuple[str, ...]) -> tuple[LabNode, ...]:
    """Name `count` nodes of the suites in turn: bullseye1, bookworm1, ... bullseye2."""
    unknown = sorted(set(mix) - set(SUITES))
    if unknown or not mix:
        raise LabError(f"unknown suite {', '.join(unknown)}; there are {', '.join(SUITES)}")
    if not 1 <= count <= 200:
        raise LabError("a lab has 1 to 200 nodes")
    return tuple(_nth(number, mix) for number in range(count))


def _nth(number: int, mix: tuple[str, ...]) -> LabNode:
    suite = mix[number % len(mix)]
    earlier = [mix[i % len(mix)] for i in range(number)].count(suite)
    address = f"{network.PREFIX}.{network.FIRST_NODE + number}"
    return LabNode(f"{suite}{earlier + 1}", suite, address)


def _hosts() -> str:
    names = "".join(f"{network.REGISTRY} {name}\n" for name in mirror_names())
    return f"{names}{network.FLAKY} {' '.join(FLAKY_NAMES)}\n"


def running(node: LabNode) -> bool:
    """Say whether a node has any process."""
    return bool(cgroup_processes(cgroup_root() / lab_name() / node.name))
