"""Connections to nodes and through jump hosts, and the failure that each obstacle gives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko
import pytest

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.model.node import Node
from fleet.ssh import SshSettings, connect
from tests.support.ssh_server import HOST_KEY, Answer, SshServer, in_turn, ssh_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path, in_turn(Answer("hi"))) as running:
        yield running


def output(node: Node, settings: SshSettings) -> str:
    with connect(node, settings) as remote:
        return remote.run("x", stdin=b"", seconds=20).stdout


def failure(node: Node, settings: SshSettings) -> Failure:
    with pytest.raises(NodeError) as raised:
        output(node, settings)
    assert raised.value.failure.step == Step.CONNECT
    return raised.value.failure


def test_a_node_is_reached_by_its_ssh_config(server: SshServer) -> None:
    assert output(server.node, server.settings) == "hi"
    assert server.logins == 1


def test_a_host_that_known_hosts_does_not_know_is_refused_before_any_login(
    server: SshServer, tmp_path: Path
) -> None:
    (tmp_path / "known_hosts").write_text("")

    found = failure(server.node, server.settings)

    assert found.kind is FailureKind.HOST_KEY
    assert HOST_KEY.fingerprint in found.evidence
    assert server.logins == 0


def test_a_host_with_another_key_is_refused(server: SshServer, tmp_path: Path) -> None:
    other = paramiko.ECDSAKey.generate()
    entry = f"[127.0.0.1]:{server.port} {other.get_name()} {other.get_base64()}\n"
    (tmp_path / "known_hosts").write_text(entry)

    assert failure(server.node, server.settings).kind is FailureKind.HOST_KEY
    assert server.logins == 0


def test_a_key_that_the_node_does_not_accept_is_named(server: SshServer, tmp_path: Path) -> None:
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "id"))

    found = failure(server.node, server.settings)

    assert found.kind is FailureKind.AUTH
    assert str(tmp_path / "id") in f"{found.message}{found.evidence}"


def test_a_missing_key_is_named(server: SshServer, tmp_path: Path) -> None:
    (tmp_path / "id").unlink()

    assert failure(server.node, server.settings).kind is FailureKind.AUTH
    assert server.logins == 0


def test_no_common_algorithm_is_named(server: SshServer, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(f"{config.read_text()}    HostKeyAlgorithms rsa-sha2-512\n")

    found = failure(server.node, server.settings)

    assert found.kind is FailureKind.CONNECT
    assert "HostKeyAlgorithms" in found.message


@pytest.mark.parametrize(
    "line", ["KexAlgorithms ^ecdh-sha2-nistp256", "Ciphers aes128-ctr", "MACs -hmac-sha2-512"]
)
def test_algorithms_of_ssh_config_are_offered(server: SshServer, tmp_path: Path, line: str) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(f"{config.read_text()}    {line}\n")

    assert output(server.node, server.settings) == "hi"


def test_a_name_that_is_none_is_a_failure(server: SshServer, tmp_path: Path) -> None:
    (tmp_path / "ssh_config").write_text("Host *\n    HostName no-such-host.invalid\n")

    found = failure(server.node, server.settings)

    assert found.kind is FailureKind.CONNECT
    assert "cannot be resolved" in found.message


@contextmanager
def listening(greeting: bytes) -> Iterator[int]:
    """Listen on a port, and write one greeting to each connection before closing it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    wire, _ = listener.accept()
                    with wire:
                        wire.sendall(greeting)
                        while wire.recv(4096):
                            pass

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def test_a_server_that_stays_silent_times_out(server: SshServer, tmp_path: Path) -> None:
    with listening(b"") as port:
        node = Node(name="n", host="127.0.0.1", port=port)
        settings = SshSettings(str(tmp_path / "ssh_config"), seconds=0.2)

        found = failure(node, settings)

    assert found.kind is FailureKind.CONNECT
    assert "timed out" in found.message


def test_the_output_of_a_proxy_command_explains_its_failure(
    server: SshServer, tmp_path: Path
) -> None:
    config = tmp_path / "ssh_config"
    command = "sh -c 'echo gate is shut >&2; echo SSH-1.0-old; cat >/dev/null'"
    config.write_text(f"{config.read_text()}    ProxyCommand {command}\n")

    found = failure(server.node, server.settings)

    assert found.kind is FailureKind.CONNECT
    assert "gate is shut" in found.message


def test_a_proxy_command_replaces_the_network(server: SshServer, tmp_path: Path) -> None:
    code = (
        "import socket,sys,threading,os\n"
        "s=socket.create_connection(('127.0.0.1',int(sys.argv[1])))\n"
        "def up():\n"
        "    while part:=os.read(0,4096): s.sendall(part)\n"
        "threading.Thread(target=up,daemon=True).start()\n"
        "while part:=s.recv(4096): os.write(1,part)\n"
    )
    (tmp_path / "relay.py").write_text(code)
    config = tmp_path / "ssh_config"
    config.write_text(f"{config.read_text()}    ProxyCommand python3 {tmp_path}/relay.py %p\n")

    assert output(server.node, server.settings) == "hi"


JUMP = """\
Host node
    ProxyJump jump
Host jump
    Port {jump}
"""


def through(folder: Path, jump: SshServer, port: int) -> SshSettings:
    """Write an ssh_config that reaches the node `node` on a port through a jump host."""
    text = (folder / "ssh_config").read_text()
    (folder / "config").write_text(
        f"{JUMP.format(jump=jump.port)}Host node\n    Port {port}\n{text}"
    )
    entries = (f"[127.0.0.1]:{port} {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n",)
    with (folder / "known_hosts").open("a") as known:
        known.writelines(entries)
    return SshSettings(str(folder / "config"))


def test_nodes_behind_a_jump_host_share_its_connection(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with (
        ssh_server(tmp_path / "inner", in_turn(Answer("inner"))) as inner,
        ssh_server(tmp_path, in_turn(Answer("jump"))) as jump,
    ):
        settings = through(tmp_path, jump, inner.port)

        outputs = [output(Node(name=name, host="node"), settings) for name in ("a", "b")]

        assert (outputs, inner.logins, jump.logins) == (["inner", "inner"], 2, 1)


def test_a_node_that_its_jump_host_cannot_reach_is_a_failure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with ssh_server(tmp_path, in_turn(Answer())) as jump:
        found = failure(Node(name="a", host="node"), through(tmp_path, jump, port))

    assert found.kind is FailureKind.CONNECT
    assert "the jump host cannot reach" in found.message


def test_a_jump_host_that_is_down_is_named(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(Answer())) as jump:
        settings = through(tmp_path, jump, 2222)
        (tmp_path / "id").unlink()

        found = failure(Node(name="a", host="node"), settings)

    assert found.kind is FailureKind.AUTH
    assert found.message.startswith(f"jump host {found.address}: ")
