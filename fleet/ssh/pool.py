"""Connections that are kept open between the steps of a node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fleet.core.model.node import Node
from fleet.ssh import descriptors
from fleet.ssh.connection import open_connection
from fleet.ssh.remote import FabricRemote, Remote
from fleet.ssh.route import SshSettings

# When the pool is full, further connections are not kept. Closing the oldest instead would keep
# none in a larger fleet, since its nodes are surveyed, staged and activated in the same order.
#
# One dict operation takes a connection and one keeps it, so a taken one belongs to one thread.
_POOL: dict[tuple[Node, SshSettings], FabricRemote] = {}


os.register_at_fork(after_in_child=_POOL.clear)


@contextmanager
def pooled_connection(node: Node, settings: SshSettings, *, keep: bool) -> Iterator[Remote]:
    """Use the node's pooled connection if it is alive, else a new one; with `keep`, keep it after.

    Raise a NodeError if none can be opened. After an exception the connection is closed.
    """
    key = (node, settings)
    remote = _take_connection(key) or open_connection(node, settings, ahead=True)
    try:
        yield remote
    except BaseException:
        remote.close()
        raise
    if (
        not keep
        or len(_POOL) >= descriptors.max_pooled()
        or _POOL.setdefault(key, remote) is not remote
    ):
        remote.close()


def _take_connection(key: tuple[Node, SshSettings]) -> FabricRemote | None:
    """Take the pooled connection; if it has died, close it and return None."""
    remote = _POOL.pop(key, None)
    if remote is None or remote.is_alive(key[1].seconds):
        return remote
    remote.close()
    return None


def close_pooled(node: Node, settings: SshSettings) -> None:
    """Close the pooled connection of a node that needs no more work."""
    remote = _POOL.pop((node, settings), None)
    if remote is not None:
        remote.close()


def close_all_pooled() -> None:
    """Close all pooled connections."""
    while _POOL:
        _POOL.popitem()[1].close()
