"""An SSH server in this process, whose commands are functions: a node that may do anything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import paramiko

from fleet.ssh.paramiko_ext.fabric import wrap_transport
from fleet.ssh.remote import FabricRemote

Command = Callable[[paramiko.Channel], int]
"""What a command does with its channel; it returns its exit code."""
_KEY = paramiko.ECDSAKey.generate()


class _Login(paramiko.ServerInterface):
    """Lets anybody in, and runs one command whatever it is called."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def check_auth_none(self, username: str) -> int:
        """Let anybody in."""
        del username
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Grant every session."""
        del kind, chanid
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Run the command in a thread of its own."""
        del command
        threading.Thread(target=self._run, args=(channel,), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel) -> None:
        with suppress(OSError, EOFError):
            code = self._command(channel)
            channel.send_exit_status(code)
            channel.close()


@contextmanager
def served(command: Command) -> Iterator[FabricRemote]:
    """Return a connection to a node that runs `command`."""
    ours, theirs = socket.socketpair()
    server = paramiko.Transport(theirs)
    server.add_server_key(_KEY)
    server.start_server(threading.Event(), _Login(command))
    client = paramiko.Transport(ours)
    client.start_client(timeout=20)
    client.auth_none("root")
    remote = FabricRemote(wrap_transport(client, "127.0.0.1", "root", 22))
    try:
        yield remote
    finally:
        remote.close()
        client.close()
        server.close()
