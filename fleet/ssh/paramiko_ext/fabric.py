"""A Fabric connection around a transport that is already open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric import Config, Connection
from paramiko import SSHConfig

if TYPE_CHECKING:
    from paramiko import Transport


def wrap_transport(transport: Transport, host: str, user: str, port: int) -> Connection:
    """Wrap a transport in a Fabric connection that reads no settings."""
    # Each connection gets its own config. Fabric writes into it, and a shared one would be empty
    # for other connections meanwhile.
    config = Config(lazy=True, ssh_config=SSHConfig())
    connection = Connection(host, user=user, port=port, config=config)
    connection.client._transport = connection.transport = transport
    return connection
