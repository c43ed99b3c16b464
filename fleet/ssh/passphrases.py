"""Encrypted keys and login names that must be known before the first connection."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.core.failure import NodeError
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.ssh.keys import locked_files, open_key
from fleet.ssh.route import Hop, SshSettings, route


def encrypted_keys(nodes: Iterable[Node], settings: SshSettings) -> tuple[str, ...]:
    """Return the encrypted identity files without which nodes or jump hosts cannot be reached."""
    choices: dict[object, Hop] = {}
    for node in nodes:
        for hop in _find_hops(node, settings):
            choices.setdefault(
                (hop.identity_files, hop.explicit_files, hop.identities_only, hop.agent_socket), hop
            )
    paths = (path for hop in choices.values() for path in locked_files(hop, settings))
    return tuple(dict.fromkeys(paths))


def passphrase_fits(path: str, passphrase: Secret) -> bool:
    """Return whether a passphrase opens a key; this costs 0.1 s of CPU by design."""
    try:
        open_key(path, passphrase)
    except NodeError:
        return False
    return True


def login_name(node: Node, settings: SshSettings) -> str:
    """Return the user that logs in to a node; empty if ssh_config is invalid."""
    hops = _find_hops(node, settings)
    return hops[-1].user if hops else ""


def _find_hops(node: Node, settings: SshSettings) -> tuple[Hop, ...]:
    try:
        return route(node, settings)
    except NodeError:
        return ()  # its own connection will report the failure
