"""Commands and files over one open connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.ssh.dialogue import InteractiveCommand, interactive_command
from fleet.ssh.error_text import describe_error
from fleet.ssh.forward.reverse import Responder, Service, serve
from fleet.ssh.forward.tcp import Tunnel, tunnel
from fleet.ssh.output import Output
from fleet.ssh.paramiko_ext.channel import exit_code
from fleet.ssh.session_pool import SessionPool
from fleet.ssh.watchdog import close_after

if TYPE_CHECKING:
    from fabric import Connection
    from paramiko import Channel

OutputListener = Callable[[bytes], None]


SILENCE_SECONDS = 30
"""Seconds without output after which a command is given up; fleet's scripts write every 5 s."""


_FEED_SECONDS = 60
"""Seconds that the input of a command may take, with pauses between its pieces."""


_CHECK_NODE = "check that the node and its network are up, then try again"


_SLACK = 5
"""Seconds that a call gets to end by its own deadline before its connection is closed."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a remote command; a non-zero exit code is a result too."""

    code: int
    stdout: str
    stderr: str


class Remote(Protocol):
    """The operations that fleet performs on a node, and all that a fake has to imitate."""

    def run(
        self,
        command: str,
        *,
        stdin: bytes,
        seconds: float,
        silence: float = SILENCE_SECONDS,
        on_output: OutputListener | None = None,
    ) -> CommandResult:
        """Run `command` in the login shell; `seconds` is a limit behind the node's own deadline.

        A command that writes nothing for `silence` seconds is given up before that. `on_output`
        gets every piece of its output when it arrives.
        """
        ...

    def tunnel(self) -> AbstractContextManager[Tunnel]:
        """Return a tunnel that opens connections from the node."""
        ...

    def serve_http(self, answer: Responder, seconds: float) -> AbstractContextManager[Service]:
        """Serve HTTP on a port of the node's own loopback, for up to `seconds`."""
        ...

    def run_interactive(
        self, command_line: str, stdin: bytes, seconds: float
    ) -> AbstractContextManager[InteractiveCommand]:
        """Run a command that waits in between until fleet lets it continue."""
        ...


class FabricRemote:
    """A Remote over one Fabric connection."""

    def __init__(self, connection: Connection, *, ahead: bool = False) -> None:
        self._connection = connection
        self._sessions = SessionPool(connection.transport, ahead=ahead)

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError, EOFError):  # a connection that is gone needs no close
            self._connection.close()

    def is_alive(self, seconds: float) -> bool:
        """Return whether a pooled connection is still alive."""
        return self._sessions.is_alive(seconds)

    def run(
        self,
        command: str,
        *,
        stdin: bytes,
        seconds: float,
        silence: float = SILENCE_SECONDS,
        on_output: OutputListener | None = None,
    ) -> CommandResult:
        """Run `command` with `stdin` as its input, bounded in time and in output."""
        deadline = time.monotonic() + seconds
        transport = self._connection.transport
        with _convert_errors(Step.RUN), close_after(seconds + _SLACK, transport.close):
            with close_after(max(silence, _FEED_SECONDS), transport.close):
                channel = self._sessions.execute(command, silence)
                channel.settimeout(silence)
                _send_input(channel, stdin)
                self._sessions.open_ahead(silence)
            with channel:
                output = _read_output(channel, deadline, silence, on_output)
                code = _exit_code(channel, deadline)
                self._sessions.record_answer()
                return CommandResult(code, output.text.decode("utf-8", "replace"), output.errors)

    def tunnel(self) -> AbstractContextManager[Tunnel]:
        """Return a tunnel that opens connections from the node."""
        return tunnel(self._connection.transport)

    @contextmanager
    def serve_http(self, answer: Responder, seconds: float) -> Iterator[Service]:
        """Serve HTTP on a port of the node's own loopback, for up to `seconds`."""
        transport = self._connection.transport
        with (
            _convert_errors(Step.RUN),
            close_after(seconds + _SLACK, transport.close),
            serve(transport, answer) as service,
        ):
            yield service

    @contextmanager
    def run_interactive(
        self, command_line: str, stdin: bytes, seconds: float
    ) -> Iterator[InteractiveCommand]:
        """Run a command that waits in between until fleet lets it continue."""
        transport = self._connection.transport
        with (
            _convert_errors(Step.RUN),
            close_after(seconds + _SLACK, transport.close),
            interactive_command(transport, command_line, stdin, seconds) as command,
        ):
            yield command


@contextmanager
def _convert_errors(step: Step) -> Iterator[None]:
    """Convert the libraries' exceptions on an open connection into a NodeError."""
    import paramiko  # noqa: PLC0415

    began = time.monotonic()
    try:
        yield
    except (OSError, EOFError, paramiko.SSHException) as error:
        if isinstance(error, TimeoutError):
            seconds = time.monotonic() - began
            message = f"no answer within {seconds:.0f} s"
            raise NodeError(FailureKind.TIMEOUT, step, message, _CHECK_NODE) from error
        message = f"the connection was lost: {describe_error(error)}"
        raise NodeError(FailureKind.CONNECT, step, message, _CHECK_NODE) from error


def _send_input(channel: Channel, stdin: bytes) -> None:
    """Send the input; a command that closed it early gives the reason in its output."""
    try:
        channel.sendall(stdin)
        channel.shutdown_write()
    except OSError:
        if not channel.exit_status_ready() and not channel.recv_ready():
            raise


def _read_output(
    channel: Channel, deadline: float, silence: float, on_output: OutputListener | None = None
) -> Output:
    """Read both streams to their end."""
    output = Output(channel)
    while True:
        part = output.read(min(silence, deadline - time.monotonic()))
        if part is None:
            return output
        if part and on_output is not None:
            on_output(part)


def _exit_code(channel: Channel, deadline: float) -> int:
    code = exit_code(channel, max(0.01, deadline - time.monotonic()))
    if code == -1:
        raise EOFError("sshd closed it before the command ended")
    return code
