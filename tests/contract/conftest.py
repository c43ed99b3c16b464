"""Fixtures: one node, or four, once fake and once real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet.core.model.node import Node
from fleet.node.work_order import Access
from fleet.ssh import SshSettings
from tests.contract.target import Target
from tests.lab import Lab, LabNode
from tests.support.fake_node import FakeNode, write_ssh_config

ALL = ("bullseye", "bookworm", "trixie", "forky")
_KILL_SSHD = """
for each in /proc/[0-9]*; do
    case $(cat $each/comm 2>/dev/null) in sshd*) kill -9 ${each#/proc/} ;; esac
done
systemctl reset-failed ssh 2>/dev/null
systemctl start ssh
"""

Maker = Callable[..., list[Target]]


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Maker]:
    """Return a maker of fake nodes, which end with the test."""
    nodes: list[FakeNode] = []

    def make(*suites: str) -> list[Target]:
        nodes.extend(FakeNode(f"{suite}1", suite) for suite in suites)
        config = write_ssh_config(tmp_path, {node.name: node.port for node in nodes})
        access = Access(ssh=SshSettings(str(config)))
        return [
            Target(
                name=node.name,
                suite=node.suite,
                machine=node,
                node=Node(name=node.name, host=node.name),
                access=access,
                hang_up="hang-up",
                wrappers="/usr/local/sbin",
                fake=True,
            )
            for node in nodes
        ]

    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def reals(lab: Lab, borrow: Callable[[str], LabNode]) -> Maker:
    """Return a lender of the lab's nodes."""
    access = Access(ssh=SshSettings(str(lab.ssh_config)))

    def lend(*suites: str) -> list[Target]:
        nodes = [borrow(f"{suite}1") for suite in suites]
        return [
            Target(
                name=node.name,
                suite=node.suite,
                machine=node,
                node=Node(name=node.name, host=node.name),
                access=access,
                hang_up=_KILL_SSHD,
                wrappers="/usr/sbin",
                fake=False,
            )
            for node in nodes
        ]

    return lend


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on one node of each generation; a module may name less of them as SUITES."""
    if "target" in metafunc.fixturenames:
        suites = getattr(metafunc.module, "SUITES", ALL)
        fakes = [pytest.param(("fakes", suite), id=f"fake-{suite}") for suite in suites]
        reals = [
            pytest.param(("reals", suite), id=suite, marks=pytest.mark.node) for suite in suites
        ]
        metafunc.parametrize("target", [*fakes, *reals], indirect=True)


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target:
    """Return one node, once fake and once real."""
    makers, suite = request.param
    maker: Maker = request.getfixturevalue(makers)
    return maker(suite)[0]


@pytest.fixture(
    params=[
        pytest.param("fakes", id="fake"),
        pytest.param("reals", id="real", marks=pytest.mark.node),
    ]
)
def four(request: pytest.FixtureRequest) -> list[Target]:
    """Return four nodes, one of each generation, once fake and once real."""
    maker: Maker = request.getfixturevalue(request.param)
    return maker(*ALL)
