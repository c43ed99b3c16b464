"""The SSH endpoint of a fake node: a Paramiko server on a port of this machine, without sshd."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import paramiko

_CHUNK = 1 << 15
_HOST_KEY = paramiko.ECDSAKey.generate()
_CLIENT_KEY = paramiko.ECDSAKey.generate()

Starter = Callable[[str], subprocess.Popen[bytes]]
"""Starts a command line in the login shell of the node, with pipes for all its streams."""


class Endpoint:
    """An SSH server that runs commands for clients with the client key, until it is closed."""

    def __init__(self, start: Starter) -> None:
        self._start = start
        self._transports: list[paramiko.Transport] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Close all connections, as if sshd died; running commands continue."""
        while self._transports:
            self._transports.pop().close()

    def close(self) -> None:
        """Stop serving."""
        # A thread that waits in accept does not see that its socket was closed.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        self._transports = [other for other in self._transports if other.is_active()]
        self._transports.append(transport)
        transport.add_server_key(_HOST_KEY)
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(threading.Event(), _Login(self._start))


class _Login(paramiko.ServerInterface):
    """The server's side of one connection: it accepts the client key, and runs commands."""

    def __init__(self, start: Starter) -> None:
        self._start = start

    def get_allowed_auths(self, username: str) -> str:
        """Allow public keys alone."""
        del username
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Accept the login of root with the client key."""
        known = username == "root" and key.asbytes() == _CLIENT_KEY.asbytes()
        return paramiko.common.AUTH_SUCCESSFUL if known else paramiko.common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Grant every session."""
        del kind, chanid
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Run the command in a thread of its own."""
        threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, line: str) -> None:
        process = self._start(line)
        feeder = threading.Thread(target=_feed, args=(channel, process), daemon=True)
        errors = threading.Thread(
            target=_drain, args=(process.stderr, channel.sendall_stderr), daemon=True
        )
        feeder.start()
        errors.start()
        _drain(process.stdout, channel.sendall)
        errors.join()
        code = process.wait()
        with suppress(OSError, EOFError):
            channel.send_exit_status(code if code >= 0 else 128 - code)
            channel.close()
        feeder.join()


def _feed(channel: paramiko.Channel, process: subprocess.Popen[bytes]) -> None:
    """Write the client's input to a command; a broken connection ends the input too."""
    assert process.stdin is not None
    with suppress(OSError):
        while part := channel.recv(_CHUNK):
            process.stdin.write(part)
    with suppress(OSError):
        process.stdin.close()


def _drain(pipe: IO[bytes] | None, send: Callable[[bytes], None]) -> None:
    """Send the output of a command; close its pipe if the client is gone, as sshd does."""
    assert pipe is not None
    with suppress(OSError, EOFError):
        while part := os.read(pipe.fileno(), _CHUNK):
            send(part)
    pipe.close()


def write_ssh_config(folder: Path, ports: dict[str, int]) -> Path:
    """Write the files with which a user reaches fake nodes; return their ssh_config."""
    key, known, config = folder / "key", folder / "known_hosts", folder / "ssh_config"
    _CLIENT_KEY.write_private_key_file(str(key))
    public = f"{_HOST_KEY.get_name()} {_HOST_KEY.get_base64()}"
    known.write_text("".join(f"[127.0.0.1]:{port} {public}\n" for port in ports.values()))
    hosts = (f"Host {name}\n    Port {port}\n" for name, port in ports.items())
    config.write_text(
        "".join(hosts) + "Host *\n    HostName 127.0.0.1\n    User root\n"
        f"    IdentityFile {key}\n    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {known}\n    GlobalKnownHostsFile /dev/null\n"
    )
    return config
