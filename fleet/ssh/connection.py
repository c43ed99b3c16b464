"""The opening of a connection: the user's ssh_config, strict host keys, deadlines, few tries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleet.core.model.node import Node
from fleet.ssh.remote import FabricRemote, Remote
from fleet.ssh.route import Hop, SshSettings, route
from fleet.ssh.transport import open_transport

if TYPE_CHECKING:
    from fabric import Connection
    from paramiko import Transport


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
    hops = route(node, settings)
    return FabricRemote(
        wrap_transport(hops[-1], open_transport(hops, settings, node.name)), ahead=ahead
    )


def wrap_transport(hop: Hop, transport: Transport) -> Connection:
    """Wrap a transport in a Fabric connection that reads no settings: the route has them all."""
    from fabric import Config, Connection  # noqa: PLC0415 - 0.1 s that `--help` need not pay
    from paramiko import SSHConfig  # noqa: PLC0415

    # Each connection gets its own config. Fabric writes into it, and a shared one would be empty
    # for other connections meanwhile.
    config = Config(lazy=True, ssh_config=SSHConfig())
    connection = Connection(hop.host, user=hop.user, port=hop.port, config=config)
    connection.client._transport = connection.transport = transport
    return connection
