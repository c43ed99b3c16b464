"""A node of one process: an SSH server on loopback whose commands are answered by a function."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from fleet.core.model.node import Node
from fleet.ssh import SshSettings

_CONFIG = """\
Host *
    HostName 127.0.0.1
    Port {port}
    User ops
    IdentityFile {folder}/id
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
"""
HOST_KEY = paramiko.ECDSAKey.generate()
LOGIN_KEY = paramiko.ECDSAKey.generate()


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of a command and its exit code; without a code the connection breaks."""

    stdout: str = ""
    code: int | None = 0
    stderr: str = ""


@dataclass(slots=True)
class SshServer:
    """A running server: how it is reached, and what it was asked.

    `inputs` are the inputs of the commands so far, `logins` counts connections that logged in.
    """

    settings: SshSettings
    port: int
    node: Node = field(default_factory=lambda: Node(name="n1", host="n1"))
    commands: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    logins: int = 0
    ports: list[int] = field(default_factory=list)
    """The ports of the node that are forwarded to the workstation."""
    forwards: bool = False
    transports: list[paramiko.Transport] = field(default_factory=list)

    def call(self, port: int) -> paramiko.Channel:
        """Connect to a port that the node forwards, as a process on the node does."""
        assert port in self.ports
        source, target = ("127.0.0.1", 1), ("127.0.0.1", port)
        return self.transports[-1].open_forwarded_tcpip_channel(source, target)


def record(**values: str) -> Answer:
    """Return the answer of a script that ran as root to its end, with a record of each value."""
    lines = "".join(f"{key}\t+{len(value)}\n{value}\n" for key, value in values.items())
    return Answer(f"begun\t=plain\nhello\t=0\n{lines}end\t=\n")


class _Session(paramiko.ServerInterface):
    """Accepts the login key, and answers every command."""

    def __init__(self, server: SshServer, answer: Callable[[str], Answer]) -> None:
        self._server, self._answer = server, answer
        self.transport: paramiko.Transport | None = None
        self._wires: dict[int, socket.socket] = {}

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        del username
        if key != LOGIN_KEY:
            return paramiko.common.AUTH_FAILED
        self._server.logins += 1
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del kind, chanid
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        del origin
        if destination[0] != "127.0.0.1":
            return paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        try:
            wire = socket.create_connection(destination, 5)
        except OSError:
            return paramiko.common.OPEN_FAILED_CONNECT_FAILED
        self._wires[chanid] = wire
        return paramiko.common.OPEN_SUCCEEDED

    def forward_all(self, transport: paramiko.Transport) -> None:
        """Forward every channel that has a connection of its own, until the client leaves."""
        while transport.is_active():
            channel = transport.accept(1)  # a session of a command is accepted here as well
            if channel is not None and (wire := self._wires.pop(channel.chanid, None)):
                threading.Thread(target=_copy, args=(channel, wire), daemon=True).start()

    def check_port_forward_request(self, address: str, port: int) -> int | bool:
        del address, port
        if not self._server.forwards:
            return False
        self._server.ports.append(40_000 + len(self._server.ports))
        return self._server.ports[-1]

    def cancel_port_forward_request(self, address: str, port: int) -> None:
        del address
        self._server.ports.remove(port)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        with suppress(OSError, EOFError):
            text = channel.makefile("rb").read().decode()
            self._server.commands.append(command)
            self._server.inputs.append(text)
            answer = self._answer(text)
            channel.sendall(answer.stdout.encode())
            channel.sendall_stderr(answer.stderr.encode())
            if answer.code is None:
                assert self.transport is not None
                self.transport.close()
                return
            channel.send_exit_status(answer.code)
            channel.close()


def _copy(channel: paramiko.Channel, wire: socket.socket) -> None:
    """Copy bytes both ways until one end closes."""
    with wire, suppress(OSError, EOFError):
        while True:
            readable, _, _ = select.select([wire, channel], [], [], 5)
            for source, target in ((wire, channel), (channel, wire)):
                if source in readable:
                    part = source.recv(4096)
                    if not part:
                        channel.close()
                        return
                    target.sendall(part)


@contextmanager
def ssh_server(
    folder: Path, answer: Callable[[str], Answer], *, forwards: bool = False
) -> Iterator[SshServer]:
    """Serve a node whose commands are answered by `answer`, which gets a command's input."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    LOGIN_KEY.write_private_key_file(str(folder / "id"))
    known = f"[127.0.0.1]:{port} {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n"
    (folder / "known_hosts").write_text(known)
    (folder / "ssh_config").write_text(_CONFIG.format(port=port, folder=folder))
    server = SshServer(SshSettings(str(folder / "ssh_config"), seconds=10), port, forwards=forwards)

    def accept() -> None:
        with suppress(OSError):
            while True:
                wire, _ = listener.accept()
                transport = paramiko.Transport(wire)
                transport.add_server_key(HOST_KEY)
                session = _Session(server, answer)
                session.transport = transport
                server.transports.append(transport)
                with suppress(paramiko.SSHException, EOFError):
                    transport.start_server(threading.Event(), session)
                    work = threading.Thread(target=session.forward_all, args=(transport,))
                    work.daemon = True
                    work.start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for transport in server.transports:
            transport.close()


def in_turn(*answers: Answer) -> Callable[[str], Answer]:
    """Return a function that gives these answers one after another, and the last one again."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
