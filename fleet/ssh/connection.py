"""The opening of a connection: the user's ssh_config, strict host keys, deadlines, few tries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fleet.core.model.node import Node
from fleet.ssh.remote import FabricRemote, Remote
from fleet.ssh.route import SshSettings, route
from fleet.ssh.transport import open_transport


@contextmanager
def connect(node: Node, settings: SshSettings) -> Iterator[Remote]:
    """Open a connection to `node`; raise a NodeError with a remedy if that fails."""
    remote = open_connection(node, settings)
    try:
        yield remote
    finally:
        remote.close()


def open_connection(node: Node, settings: SshSettings, *, ahead: bool = False) -> FabricRemote:
    """Open a connection that the caller closes; `ahead` means that several commands follow."""
    from fleet.ssh.paramiko_ext.fabric import wrap_transport  # noqa: PLC0415 - 0.1 s of import

    hops = route(node, settings)
    hop, transport = hops[-1], open_transport(hops, settings, node.name)
    return FabricRemote(wrap_transport(transport, hop.host, hop.user, hop.port), ahead=ahead)
