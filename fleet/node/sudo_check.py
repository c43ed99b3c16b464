"""A check of the sudo password on one node first: a wrong one must not lock accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.core.failure import NodeError, Step
from fleet.core.model.node import Node
from fleet.node.launch import BEGUN
from fleet.node.login_failures import NotStartedError
from fleet.node.run_script import run_script
from fleet.node.script import Script
from fleet.node.work_order import Access
from fleet.ssh import connect, login_name

_CANDIDATES = 3
"""Nodes of one login to try before its password is accepted without a check: they may be down, or
need no password."""


_SECONDS = 30


def check_sudo(access: Access, nodes: Iterable[Node]) -> Access:
    """Return the access with the logins whose password one node has refused.

    A refused password is given to no other node of that login.
    """
    logins: dict[str, list[Node]] = {}
    for node in nodes:
        if node.become is not False and (user := login_name(node, access.ssh)) not in {"", "root"}:
            logins.setdefault(user, []).append(node)
    refused = tuple(
        (user, name) for user in logins for name in _refusing_nodes(access, logins[user])
    )
    return replace(access, refused=refused)


def _refusing_nodes(access: Access, nodes: list[Node]) -> Iterator[str]:
    """Yield the one node that refused the password, if one does."""
    for node in nodes[:_CANDIDATES]:
        accepted = _accepts_password(access, node)
        if accepted is None:
            continue
        if not accepted:
            yield node.name
        return


def _accepts_password(access: Access, node: Node) -> bool | None:
    """Return whether sudo accepted the password; None if it asked for none, or on other errors."""
    try:
        with connect(node, access.ssh) as remote:
            reply = run_script(remote, Script(Step.SUDO, {}, _SECONDS), access.for_node(node))
    except NotStartedError as error:
        # Other causes appear again in the work on the node.
        return False if error.cause == "password" else None
    except NodeError:
        return None
    return True if reply.value(BEGUN) == "asked" else None
