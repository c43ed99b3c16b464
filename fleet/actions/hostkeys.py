"""The host keys of nodes and of their jump hosts, compared with known_hosts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from fleet.core.failure import Failure
from fleet.core.model.node import Node
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.errors import FleetError
from fleet.ssh import SshSettings
from fleet.ssh.hostkey_scan import HostKey, KeyScan, add_host_key, jump_host_scans, scan_host_key

ADDED = {"unknown", "certified"}
"""The states of keys that may be added to known_hosts."""


def scan_host_keys(
    nodes: Sequence[Node], ssh: SshSettings, pool: WorkerPool
) -> Iterator[dict[str, HostKey | Failure]]:
    """Scan the jump hosts, nearest first, then the nodes; yield the keys of each step.

    A connection through a jump host needs the key of that host in known_hosts. The caller must
    therefore add the keys of one step before it requests the next.
    """
    own = {node.name: KeyScan(node, ssh) for node in nodes}
    for scans in (*jump_host_scans(nodes, ssh), own):
        yield _scan(scans, pool)


def _scan(scans: Mapping[str, KeyScan], pool: WorkerPool) -> dict[str, HostKey | Failure]:
    names = {id(scan): name for name, scan in scans.items()}
    results = {
        names[id(scan)]: result for scan, result in map_nodes(scan_host_key, scans.values(), pool)
    }
    return {name: results[name] for name in scans}


def unknown_keys(results: Mapping[str, HostKey | Failure]) -> dict[str, HostKey]:
    """Return the keys that may be added to known_hosts, by their names in that file."""
    keys = [result for result in results.values() if isinstance(result, HostKey)]
    return {key.name: key for key in keys if key.state in ADDED}


def is_bad(result: HostKey | Failure) -> bool:
    """Return whether a key could not be read, or must not be trusted."""
    return isinstance(result, Failure) or result.state in {"changed", "revoked"}


def add_host_keys(keys: Collection[HostKey]) -> None:
    """Add keys to known_hosts; raise a FleetError if the file cannot be written."""
    files = ", ".join(dict.fromkeys(key.file for key in keys))
    try:
        for key in keys:
            add_host_key(key)
    except OSError as error:
        raise FleetError(f"{files}: cannot be written ({error.strerror})") from error
