"""The check of sudo passwords: a wrong one reaches one node of a login, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.node.script import Privilege
from fleet.node.sudo_check import check_sudo
from fleet.node.work_order import Access
from tests.support.ssh_server import Answer, SshServer, in_turn, ssh_server

ACCEPTED = Answer("begun\t=asked\nhello\t=0\nend\t\n")
NOT_ASKED = Answer("begun\t=plain\nhello\t=0\nend\t\n")
REFUSED = Answer("begun\t=asked\n", 77, "sudo: 1 incorrect password attempt\n")
BROKEN = Answer("begun\t=plain\n", None)


def access(server: SshServer) -> Access:
    return Access(ssh=server.settings, privilege=Privilege(Secret("p")))


def node(name: str, **fields: object) -> Node:
    return Node(name=name, host=name, **fields)  # type: ignore[arg-type]


CHECKS = {
    "accepted": ((ACCEPTED,), (), 1),
    "refused": ((REFUSED,), (("ops", "a"),), 1),
    "not asked, then accepted": ((NOT_ASKED, ACCEPTED), (), 2),
    "not asked, then refused": ((NOT_ASKED, REFUSED), (("ops", "b"),), 2),
    "broken, then refused": ((BROKEN, REFUSED), (("ops", "b"),), 2),
    "nowhere asked": ((NOT_ASKED,), (), 3),
    "nowhere reached": ((BROKEN,), (), 3),
}


@pytest.mark.parametrize(("answers", "refused", "tries"), CHECKS.values(), ids=CHECKS)
def test_the_first_node_that_asks_decides(
    tmp_path: Path, answers: tuple[Answer, ...], refused: tuple[tuple[str, str], ...], tries: int
) -> None:
    with ssh_server(tmp_path, in_turn(*answers)) as server:
        before = access(server)

        after = check_sudo(before, [node(name) for name in "abcde"])

        assert (after.refused, len(server.inputs)) == (refused, tries)
        assert (after.ssh, after.privilege) == (before.ssh, before.privilege)


def test_every_login_is_checked_by_itself(tmp_path: Path) -> None:
    nodes = [node("a", user="eve"), node("b", user="joe"), node("c", user="eve")]
    with ssh_server(tmp_path, in_turn(REFUSED, ACCEPTED)) as server:
        after = check_sudo(access(server), nodes)

        assert (after.refused, len(server.inputs)) == ((("eve", "a"),), 2)


@pytest.mark.parametrize("fields", [{"user": "root"}, {"become": False}])
def test_a_login_that_needs_no_sudo_is_not_checked(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    with ssh_server(tmp_path, in_turn(REFUSED)) as server:
        assert check_sudo(access(server), [node("a", **fields)]).refused == ()
        assert server.inputs == []
