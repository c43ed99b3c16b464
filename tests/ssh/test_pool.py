"""Connections that are kept between the steps of a node: used again, or closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.model.node import Node
from fleet.ssh import close_all_pooled, close_pooled, pooled_connection
from tests.support.ssh_server import Answer, SshServer, in_turn, ssh_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path, in_turn(Answer("hi"))) as running:
        yield running
        close_all_pooled()


def use(server: SshServer, *, keep: bool, node: Node | None = None) -> str:
    """Run a command over the pooled connection or a new one."""
    with pooled_connection(node or server.node, server.settings, keep=keep) as remote:
        return remote.run("x", stdin=b"", seconds=20).stdout


def test_a_kept_connection_is_used_again(server: SshServer) -> None:
    assert [use(server, keep=True) for _ in range(3)] == ["hi", "hi", "hi"]

    assert server.logins == 1


def test_a_connection_that_is_not_kept_is_closed(server: SshServer) -> None:
    for _ in range(2):
        use(server, keep=False)

    assert server.logins == 2


def test_the_last_use_closes_a_kept_connection(server: SshServer) -> None:
    use(server, keep=True)
    use(server, keep=False)
    use(server, keep=False)

    assert server.logins == 2


def test_every_node_has_a_connection_of_its_own(server: SshServer) -> None:
    for name in ("a", "b", "a", "b"):
        use(server, keep=True, node=Node(name=name, host=name))

    assert server.logins == 2


@pytest.mark.parametrize("close_all", [False, True])
def test_a_connection_that_was_closed_is_made_anew(server: SshServer, *, close_all: bool) -> None:
    use(server, keep=True)
    if close_all:
        close_all_pooled()
    else:
        close_pooled(server.node, server.settings)
    use(server, keep=True)

    assert server.logins == 2


def test_closing_what_is_not_pooled_does_nothing(server: SshServer) -> None:
    close_pooled(server.node, server.settings)

    assert use(server, keep=False) == "hi"


def test_after_an_error_a_connection_is_not_kept(server: SshServer) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        pooled_connection(server.node, server.settings, keep=True),
    ):
        raise ZeroDivisionError
    use(server, keep=True)

    assert server.logins == 2
