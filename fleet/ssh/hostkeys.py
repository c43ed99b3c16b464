"""The host keys of nodes: what a node shows, and what known_hosts says of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.model import Node
from fleet.core.outcome import Failure, NodeError
from fleet.ssh.connect import SshSettings, failures, known_files, prepared
from fleet.ssh.deadline import bounded

if TYPE_CHECKING:
    from fabric import Connection
    from paramiko import PKey


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """Ask one node for its host key."""

    node: Node
    settings: SshSettings


@dataclass(frozen=True, slots=True)
class HostKey:
    """A node's host key as it was shown, and how it stands: known, unknown or changed.

    `line` is what known_hosts wants; `file` is where it would go. `before` names file and line of
    the key that stands there for a changed one.
    """

    name: str
    kind: str
    fingerprint: str
    state: str
    line: str
    file: str
    before: str = ""


def ask_key(order: KeyOrder) -> HostKey | Failure:
    """Read a node's host key without logging in; jump hosts are logged in to, with their keys."""
    connection = prepared(order.node, order.settings)
    try:
        with failures(order.node, connection, order.settings):
            return _asked(connection, order)
    except NodeError as error:
        return error.failure
    finally:
        connection.close()


def _asked(connection: Connection, order: KeyOrder) -> HostKey:
    import paramiko  # noqa: PLC0415

    seconds = order.settings.seconds
    port = connection.port
    name = connection.host if port == 22 else f"[{connection.host}]:{port}"
    files = known_files(connection)
    wire: Any = (
        connection.open_gateway()
        if connection.gateway
        else socket.create_connection((connection.host, port), seconds)
    )
    transport = paramiko.Transport(wire)
    transport.banner_timeout = seconds
    _prefer(transport, [key.get_name() for _, key in _known(files, name)])
    with bounded(2 * seconds, transport.close):
        transport.start_client(timeout=seconds)
        key = transport.get_remote_server_key()
    transport.close()
    return _judged(name, key, files)


def _prefer(transport: Any, kinds: list[str]) -> None:
    """Ask for a kind of key that is known already, as OpenSSH does."""
    options = transport.get_security_options()
    first = [kind for kind in options.key_types if kind in kinds]
    options.key_types = [*first, *(kind for kind in options.key_types if kind not in first)]


def _judged(name: str, key: PKey, files: tuple[Path, ...]) -> HostKey:
    state, before = "unknown", ""
    for place, known in _known(files, name):
        if known.get_name() == key.get_name():
            same = known.asbytes() == key.asbytes()
            state, before = ("known", "") if same else ("changed", place)
    return HostKey(
        name=name,
        kind=key.get_name(),
        fingerprint=key.fingerprint,
        state=state,
        line=f"{name} {key.get_name()} {key.get_base64()}",
        file=str(files[0]),
        before=before,
    )


def _known(files: tuple[Path, ...], name: str) -> Iterator[tuple[str, PKey]]:
    """Yield the keys of a host with the file and line where they stand."""
    from paramiko.hostkeys import HostKeyEntry, HostKeys, InvalidHostKey  # noqa: PLC0415

    for path in files:
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if not line.strip() or line.startswith(("#", "@")):
                continue
            try:
                entry = HostKeyEntry.from_line(line, number)
            except InvalidHostKey:
                continue
            if entry is None:
                continue
            keys = HostKeys()
            for each in entry.hostnames:
                keys.add(each, entry.key.get_name(), entry.key)
            if keys.lookup(name) is not None:
                yield f"{path}:{number}", entry.key


def add_key(key: HostKey) -> None:
    """Append a key to known_hosts; raise an OSError where that cannot be written."""
    path = Path(key.file)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = path.read_text() if path.is_file() else ""
    gap = "" if not before or before.endswith("\n") else "\n"
    with path.open("a") as target:
        target.write(f"{gap}{key.line}\n")
