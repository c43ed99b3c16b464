"""Fixtures: the lab, which is real, and the fleet command in front of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.lab import Lab, LabNode, network
from tests.lab.crictl import compiler
from tests.lab.kubernetes.binaries import is_built
from tests.lab.kubernetes.kubelet import SUITES
from tests.support.fleet import Fleet, make_pristine, remember
from tests.support.lab_cluster import write_inventory

ROOT = Path(__file__).parents[1]
NODES = ("bullseye1", "bookworm1", "trixie1", "forky1")

# An example is slow at times on a machine with other work. Where time counts, a test measures it.
settings.register_profile("fleet", deadline=None)
settings.load_profile("fleet")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that need nodes, which take longest; skip what needs root without it."""
    slow = {
        item.path for item in items if {"node", "e2e"} & {mark.name for mark in item.iter_markers()}
    }
    items.sort(key=lambda item: item.path not in slow)
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("root"):
                item.add_marker(pytest.mark.skip(reason="needs root"))


_left = {"clean": False}
"""Whether the last test that had the nodes left them as they were when the lab came up."""


@pytest.fixture
def clean() -> bool:
    """Return whether the nodes are known to be clean; the test that asks may change that."""
    was, _left["clean"] = _left["clean"], False
    return was


@pytest.fixture
def lab(clean: bool) -> Lab:
    """Return the four nodes; a machine that cannot boot them fails, it does not skip."""
    del clean
    lab = Lab.up(4)
    for node in lab.nodes.values():
        remember(node)
    return lab


@pytest.fixture
def nodes(lab: Lab, clean: bool) -> Iterator[Lab]:
    """Return the four nodes, as they were when the lab came up."""
    if not clean:
        make_pristine(lab)
    yield lab
    make_pristine(lab)
    _left["clean"] = True


@pytest.fixture
def borrow(lab: Lab, clean: bool) -> Iterator[Callable[[str], LabNode]]:
    """Return a lender of single nodes; only those that were lent are put back after the test."""
    lent: dict[str, LabNode] = {}
    if not clean:
        make_pristine(lab)

    def lend(name: str) -> LabNode:
        return lent.setdefault(name, lab.nodes[name])

    yield lend
    make_pristine(lab, lent.values())
    _left["clean"] = True


@pytest.fixture
def cluster_lab() -> Lab:
    """Return three nodes with Kubernetes; files that ask for it one by one share the cluster."""
    if not is_built() and compiler() is None:
        pytest.skip("NOT TESTED: Kubernetes is built with Go, and this machine has none")
    _left["clean"] = False
    return Lab.up(len(SUITES), SUITES, kubernetes=True)


@pytest.fixture
def cluster_fleet(tmp_path: Path, cluster_lab: Lab) -> Fleet:
    """Return the fleet command in a folder with an inventory of the cluster's nodes."""
    shutil.copy(ROOT / "mirrors.yaml", tmp_path / "mirrors.yaml")
    fleet = Fleet(tmp_path, str(cluster_lab.ssh_config))
    write_inventory(fleet, cluster_lab)
    return fleet


@pytest.fixture
def crictl(lab: Lab) -> None:
    """Say so where the nodes have no crictl, as nothing could build one here."""
    without = [node.name for node in lab.nodes.values() if not node.has_crictl]
    if without:
        pytest.skip(f"needs crictl on the nodes; {', '.join(without)} have none (see lab status)")


@pytest.fixture
def fleet(tmp_path: Path, lab: Lab) -> Fleet:
    """Return the fleet command in a folder that holds the files that ship."""
    for name in ("inventory.yaml", "mirrors.yaml"):
        # The inventory that ships names the addresses of the first lab of this machine.
        text = (ROOT / name).read_text().replace("10.213.0.", f"{network.PREFIX}.")
        (tmp_path / name).write_text(text)
    return Fleet(tmp_path, str(lab.ssh_config))


@pytest.fixture
def offline(tmp_path: Path) -> Fleet:
    """Return the fleet command where no node is needed."""
    for name in ("inventory.yaml", "mirrors.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return Fleet(tmp_path, "/nonexistent")
