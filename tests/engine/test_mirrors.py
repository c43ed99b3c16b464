"""Mirror tests from many nodes: one of each group, the next if one cannot be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.containerd.requests import parse_image
from fleet.core.failure import FailureKind
from fleet.core.mirrors.check import Diagnosis, Target
from fleet.core.model.mirror import Mirror
from fleet.core.model.node import Node
from fleet.engine.mirrors import SiteTested, groups_of, try_mirrors
from fleet.node.mirrors.session import MirrorOrder
from fleet.node.work_order import Access
from fleet.ssh import SshSettings
from tests.support.ssh_server import Answer, SshServer, in_turn, record, ssh_server
from tests.support.tcp_server import tcp_server

IMAGE = parse_image("docker.io/library/busybox:1.36")


def target(port: int) -> Target:
    return Target("docker.io", Mirror(url=f"http://127.0.0.1:{port}"), IMAGE)


def order(
    settings: SshSettings, name: str, *targets: Target, site: str | None = None
) -> MirrorOrder:
    node = Node(name=name, host=name, site=site)
    return MirrorOrder(node=node, access=Access(ssh=settings), targets=targets, seconds=5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path, in_turn(record(now="0"))) as running:
        yield running


@pytest.fixture
def down(tmp_path: Path) -> SshSettings:
    return SshSettings(str(tmp_path / "nowhere"))


@pytest.fixture
def mirror() -> Iterator[int]:
    """Serve a registry that has no image at all."""

    def answer(wire: socket.socket) -> None:
        while b"\r\n\r\n" in wire.recv(4096):
            wire.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with tcp_server(answer) as port:
        yield port


def results(*groups: tuple[MirrorOrder, ...]) -> list[SiteTested]:
    found = try_mirrors(groups, parallel=4, per_mirror=2)
    return sorted(found, key=lambda result: result.node)


def test_every_endpoint_is_tested_and_reported_in_the_order_of_the_file(
    server: SshServer, mirror: int
) -> None:
    targets = tuple(target(mirror) for _ in range(6))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = target(listener.getsockname()[1])

    (result,) = results((order(server.settings, "w1", *targets, closed, site="eu"),))

    assert (result.node, result.site, result.failure) == ("w1", "eu", None)
    assert [check.target for check in result.results] == [*targets, closed]
    assert [check.diagnosis for check in result.results[:6]] == [Diagnosis.NOT_FOUND] * 6
    assert not result.results[6].diagnosis.serves


def test_the_next_node_of_a_group_is_tried_if_one_cannot_be_reached(
    server: SshServer, down: SshSettings
) -> None:
    (result,) = results((order(down, "w1"), order(server.settings, "w2"), order(down, "w3")))

    assert (result.node, result.failure) == ("w2", None)


def test_three_nodes_of_a_group_are_tried_at_most(server: SshServer, down: SshSettings) -> None:
    lost = [order(down, name) for name in ("w1", "w2", "w3")]

    (result,) = results((*lost, order(server.settings, "w4")))

    assert result.node == "w3"
    assert result.failure is not None
    assert result.failure.kind is FailureKind.CONNECT
    assert server.inputs == []


def test_a_node_that_is_reached_and_fails_is_the_answer_of_its_group(
    tmp_path: Path, server: SshServer
) -> None:
    (tmp_path / "odd").mkdir()
    with ssh_server(tmp_path / "odd", in_turn(Answer("begun\t=plain\n", 78))) as odd:
        (result,) = results((order(odd.settings, "w1"), order(server.settings, "w2")))

    assert result.node == "w1"
    assert result.failure is not None
    assert result.failure.kind is FailureKind.SUDO


def test_every_group_has_a_result(server: SshServer, down: SshSettings) -> None:
    found = results((order(server.settings, "w1"),), (order(down, "w2"),))

    assert [(result.node, result.failure is None) for result in found] == [
        ("w1", True),
        ("w2", False),
    ]


def test_nodes_are_grouped_by_their_site(down: SshSettings) -> None:
    orders = [
        order(down, name, site=site)
        for name, site in (("w1", "eu"), ("w2", None), ("w3", "eu"), ("w4", "us"), ("w5", None))
    ]

    def names(*, per_site: bool) -> list[list[str]]:
        groups = groups_of(orders, per_site=per_site)
        return [[each.node.name for each in group] for group in groups]

    assert names(per_site=True) == [["w1", "w3"], ["w2", "w5"], ["w4"]]
    assert names(per_site=False) == [["w1"], ["w2"], ["w3"], ["w4"], ["w5"]]
