"""The host keys that nodes show, and their entries in known_hosts."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleet.core.failure import Failure, NodeError
from fleet.core.model.node import Node
from fleet.ssh.handshake import handshake, server_key
from fleet.ssh.known_hosts import ShownKey, key_status, known_keys
from fleet.ssh.route import Hop, SshSettings, route
from fleet.ssh.transport import convert_errors, open_socket
from fleet.ssh.watchdog import close_after


@dataclass(frozen=True, slots=True)
class KeyScan:
    """The request to read a node's host key, or that of its jump host number `hop`, from 0."""

    node: Node
    settings: SshSettings
    hop: int = -1


@dataclass(frozen=True, slots=True)
class HostKey:
    """A node's host key as it was shown, and its status.

    `state` is known, unknown, changed, revoked, or certified (only a certificate authority vouches
    for the node). `line` is the entry for known_hosts; `file` is where it would go. `before`
    names the file and line of the entry that contradicts it.
    """

    name: str
    kind: str
    fingerprint: str
    state: str
    line: str
    file: str
    before: str = ""


def scan_host_key(scan: KeyScan) -> HostKey | Failure:
    """Read a node's host key without a login there; log in to jump hosts, with their keys."""
    seconds = scan.settings.seconds
    try:
        all_hops = route(scan.node, scan.settings)
        hops = all_hops[: scan.hop % len(all_hops) + 1]
        hop = hops[-1]
        with convert_errors(hop, scan.settings):
            wire = open_socket(hops, scan.settings)
            try:
                with close_after(3 * seconds, wire.close):
                    shown = server_key(handshake(wire, hop, scan.settings, scan.node.name))
            finally:
                wire.close()
    except NodeError as error:
        return error.failure
    return _host_key(hop, shown)


def jump_host_scans(nodes: Iterable[Node], settings: SshSettings) -> list[dict[str, KeyScan]]:
    """Return the jump hosts of the nodes by name, those that are reached first in the first dict.

    A node whose route is invalid has none: its own scan reports the failure.
    """
    rounds: list[dict[str, KeyScan]] = []
    for node in nodes:
        try:
            jumps = route(node, settings)[:-1]
        except NodeError:
            continue
        for number, hop in enumerate(jumps):
            if number == len(rounds):
                rounds.append({})
            rounds[number].setdefault(hop.place, KeyScan(node, settings, number))
    return rounds


def _host_key(hop: Hop, shown: ShownKey) -> HostKey:
    files = (*hop.known_hosts, *hop.global_known_hosts)
    state, place = key_status(shown, tuple(known_keys(files, hop.key_names)))
    name = hop.key_names[0]
    return HostKey(
        name=name,
        kind=shown.kind,
        fingerprint=shown.fingerprint,
        state=state,
        line=f"{name} {shown.kind} {base64.b64encode(shown.blob).decode()}",
        file=files[0] if files else "~/.ssh/known_hosts",
        before=place if state != "known" else "",
    )


def add_host_key(key: HostKey) -> None:
    """Append a key to known_hosts; raise an OSError if it cannot be written."""
    path = Path(key.file)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    gap = "" if not before or before.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8") as target:
        target.write(f"{gap}{key.line}\n")
