"""The work that all do, laid out in a folder: what nodes shall hold, and every peer's own files."""

from __future__ import annotations

import compileall
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import Lab
from tests.lab.node import LabNode
from tests.lab.rootfs import rootfs

ROOT = Path(__file__).parents[1]
RECIPES = Path(__file__).parent / "recipes"
IMAGE = "docker.io/library/busybox:latest"
MIX = ("bookworm", "trixie")
"""Containerd 1.6 and 1.7, whose config.toml are the same and name no registry yet."""
_VERSION = "1.7.24"
_REGISTRY = """
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
"""


@dataclass(frozen=True, slots=True)
class Work:
    """A folder with the work for some nodes."""

    folder: Path
    nodes: tuple[LabNode, ...]
    ssh_config: Path

    @property
    def names(self) -> tuple[str, ...]:
        """Return the nodes' names."""
        return tuple(node.name for node in self.nodes)

    @property
    def hosts(self) -> dict[str, bytes]:
        """Return the hosts.toml of each registry as every node shall hold it."""
        found = (self.folder / "certs.d").glob("*/hosts.toml")
        return {path.parent.name: path.read_bytes() for path in sorted(found)}


def lay_out(folder: Path, lab: Lab, nodes: Sequence[LabNode], ssh_config: Path) -> Work:
    """Lay out the work; the hosts.toml are those that fleet renders, for all peers alike."""
    folder.mkdir(parents=True)
    # As pip installs it: a client that may write no bytecode would compile fleet in every run.
    compileall.compile_dir(ROOT / "fleet", quiet=1)
    work = Work(folder, tuple(nodes), ssh_config)
    _fleet_files(work)
    _render(folder)
    for recipe in RECIPES.iterdir():
        shutil.copy(recipe, folder)
    (folder / "registry.toml").write_text(_REGISTRY)
    (folder / "image").write_text(IMAGE)
    _pack(folder / "certs.tar.gz", folder, ("certs.d",))
    _pack(folder / "limit.tar.gz", folder, ("certs.d", "registry.toml", "image", "node.sh"))
    _ansible_files(work)
    _pyinfra_files(work, lab)
    return work


def _fleet_files(work: Work) -> None:
    hosts = {node.name: {"host": node.address} for node in work.nodes}
    inventory = {"all": {"vars": {"user": "ops", "become": True}, "hosts": hosts}}
    (work.folder / "inventory.yaml").write_text(json.dumps(inventory))
    lines = (ROOT / "mirrors.yaml").read_text().splitlines(keepends=True)
    kept = [line for line in lines if "verify:" not in line]
    at = next(i for i, line in enumerate(kept) if line.startswith("  docker.io:")) + 1
    mirrors = [*kept[:at], f"    verify: {IMAGE}\n", *kept[at:]]
    (work.folder / "mirrors.yaml").write_text("".join(mirrors))


def _render(folder: Path) -> None:
    """Let fleet render for a node as the suites ship it."""
    shipped, out = folder / "shipped", folder / "rendered"
    (shipped / "etc/containerd").mkdir(parents=True)
    for name in ("etc/containerd/config.toml", "etc/os-release"):
        shutil.copy(rootfs("trixie") / name, shipped / name)
    words = ("render", "--containerd", _VERSION, "--root", str(shipped), "--out", str(out), "-q")
    subprocess.run(
        [sys.executable, "-m", "fleet", *words], cwd=folder, check=True, capture_output=True
    )
    shutil.copytree(out / "etc/containerd/certs.d", folder / "certs.d")


def _pack(target: Path, folder: Path, names: Sequence[str]) -> None:
    def owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in names:
            archive.add(folder / name, name, filter=owned)
    target.write_bytes(content.getvalue())


def _ansible_files(work: Work) -> None:
    (work.folder / "hosts.ini").write_text("".join(f"{name}\n" for name in work.names))
    variables = {
        "image": IMAGE,
        "registries": list(work.hosts),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    (work.folder / "variables.json").write_text(json.dumps(variables))
    (work.folder / "ansible.cfg").write_text(
        "[defaults]\n"
        f"forks = {len(work.nodes)}\n"
        "inventory = hosts.ini\n"
        "gathering = explicit\n"
        "retry_files_enabled = false\n"
        "[ssh_connection]\n"
        "pipelining = true\n"
        f"ssh_args = -F {work.ssh_config} -o ControlMaster=auto -o ControlPersist=60s\n"
        f"control_path_dir = {work.folder}/cp\n"
    )


def _pyinfra_files(work: Work, lab: Lab) -> None:
    about = {
        "ssh_user": "ops",
        "ssh_key": str(lab.key),
        "ssh_config_file": str(work.ssh_config),
        "ssh_known_hosts_file": str(work.ssh_config.parent / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "image": IMAGE,
    }
    text = f"nodes = [(name, {about!r}) for name in {list(work.names)!r}]\n"
    (work.folder / "nodes.py").write_text(text)
