"""The host key that a node shows, what known_hosts has for it, and its new entry there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.node import Node
from fleet.ssh import SshSettings
from fleet.ssh.hostkey_scan import (
    HostKey,
    KeyScan,
    add_host_key,
    jump_host_scans,
    scan_host_key,
)
from tests.support.ssh_server import HOST_KEY, Answer, SshServer, in_turn, ssh_server

OTHER = paramiko.ECDSAKey.generate()
ENTRY = f"{HOST_KEY.get_name()} {HOST_KEY.get_base64()}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path, in_turn(Answer("hi"))) as running:
        yield running


def scan(server: SshServer) -> HostKey:
    found = scan_host_key(KeyScan(server.node, server.settings))
    assert isinstance(found, HostKey)
    return found


def known(folder: Path, text: str) -> None:
    (folder / "known_hosts").write_text(text)


def test_a_key_is_read_without_a_login(server: SshServer, tmp_path: Path) -> None:
    place = f"[127.0.0.1]:{server.port}"

    assert scan(server) == HostKey(
        name=place,
        kind="ecdsa-sha2-nistp256",
        fingerprint=HOST_KEY.fingerprint,
        state="known",
        line=f"{place} {ENTRY}",
        file=str(tmp_path / "known_hosts"),
    )
    assert server.logins == 0


STATES = {
    "nothing known": ("", "unknown", ""),
    "another key": (f"{{}} {OTHER.get_name()} {OTHER.get_base64()}\n", "changed", ":1"),
    "a revoked key": (f"@revoked {{}} {ENTRY}\n", "revoked", ":1"),
    "a comment before it": (f"# mine\n{{}} {ENTRY}\n", "known", ""),
}


@pytest.mark.parametrize(("text", "state", "before"), STATES.values(), ids=STATES)
def test_a_key_is_compared_with_known_hosts(
    server: SshServer, tmp_path: Path, text: str, state: str, before: str
) -> None:
    known(tmp_path, text.format(f"[127.0.0.1]:{server.port}"))

    found = scan(server)

    assert found.state == state
    assert found.before == (f"{tmp_path}/known_hosts{before}" if before else "")


def test_a_host_key_that_was_added_is_known(server: SshServer, tmp_path: Path) -> None:
    known(tmp_path, "")
    found = scan(server)

    add_host_key(found)

    assert scan(server).state == "known"


CONTENTS = {
    "no file": (None, "line\n"),
    "an empty one": ("", "line\n"),
    "a whole line": ("one\n", "one\nline\n"),
    "a line without its end": ("one", "one\nline\n"),
}


@pytest.mark.parametrize(("before", "after"), CONTENTS.values(), ids=CONTENTS)
def test_an_entry_is_a_line_of_its_own(tmp_path: Path, before: str | None, after: str) -> None:
    path = tmp_path / "new" / "known_hosts"
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)

    add_host_key(HostKey("n", "k", "f", "unknown", "line", str(path)))

    assert path.read_text() == after


def test_a_folder_for_known_hosts_is_for_its_owner_alone(tmp_path: Path) -> None:
    add_host_key(HostKey("n", "k", "f", "unknown", "line", str(tmp_path / "new" / "known_hosts")))

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_node_that_is_down_is_a_failure(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(Answer())) as server:
        pass

    failure = scan_host_key(KeyScan(server.node, server.settings))

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.step) == (FailureKind.CONNECT, "connect")


CONFIG = """\
Host a b
    ProxyJump ops@one:22
Host c
    ProxyJump ops@one:22,ops@two:23
Host broken
    ProxyJump "["
"""


def test_jump_hosts_are_scanned_once_and_the_nearest_first(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(CONFIG)
    settings = SshSettings(str(tmp_path / "config"))
    nodes = {name: Node(name=name, host=name) for name in ("a", "b", "c", "d", "broken")}

    rounds = jump_host_scans(nodes.values(), settings)

    assert rounds == [
        {"ops@one:22": KeyScan(nodes["a"], settings, 0)},
        {"ops@two:23": KeyScan(nodes["c"], settings, 1)},
    ]
