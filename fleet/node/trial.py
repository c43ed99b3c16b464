"""The sudo password, tried on one node before the rest: a wrong one must not lock the account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.core.model import Node
from fleet.core.outcome import NodeError
from fleet.node.order import Access
from fleet.ssh import connect, login

_CANDIDATES = 3
"""Nodes of one login that are asked before its password is taken on trust: they may be down, or
let the login become root without one."""
_ACCEPTED, _REFUSED = 10, 77
_SECONDS = 40
# sudo asks PAM once, as its input ends after one line; -n asks nobody.
_TRIAL = """\
command -v sudo >/dev/null || exit 0
[ "$(id -u)" != 0 ] || exit 0
{sudo} -k -n -- true 2>/dev/null && exit 0
IFS= read -r fleet_password
printf '%s\\n' "$fleet_password" | timeout 30 {sudo} -k -S -p '' -- true 2>/dev/null && exit 10
exit 77
"""


def tried(access: Access, nodes: Iterable[Node]) -> Access:
    """Return the access with the logins whose password one node has refused.

    A refused password is given to no other node of that login.
    """
    logins: dict[str, list[Node]] = {}
    for node in nodes:
        if node.become is not False and (user := login(node, access.ssh)) not in {"", "root"}:
            logins.setdefault(user, []).append(node)
    refused = tuple((user, name) for user in logins for name in _refusing(access, logins[user]))
    return replace(access, refused=refused)


def _refusing(access: Access, nodes: list[Node]) -> Iterator[str]:
    """Yield the one node that refused the password, if one does."""
    for node in nodes[:_CANDIDATES]:
        code = _asked(access, node)
        if code in {_ACCEPTED, _REFUSED}:
            if code == _REFUSED:
                yield node.name
            return


def _asked(access: Access, node: Node) -> int:
    privilege = access.on(node)
    try:
        with connect(node, access.ssh) as remote:
            said = remote.run(
                _TRIAL.format(sudo=privilege.command),
                stdin=f"{privilege.password}\n".encode(),
                seconds=_SECONDS,
                silence=_SECONDS,
            )
    except NodeError:
        return 0  # its own pass will say so
    return said.code
