"""Sessions of one connection, opened ahead of their use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.ssh.paramiko_ext.channel import request_command

if TYPE_CHECKING:
    from paramiko import Channel, Transport

ANSWER_VALID_SECONDS = 10
"""Seconds after an answer for which a connection counts as alive."""


_PAUSES = (0.1, 0.4, 1.5)
"""Seconds before further tries: an sshd that grants one session counts it until it sees its end."""


def open_session(transport: Transport, seconds: float) -> Channel:
    """Open a session; raise a NodeError if sshd grants none."""
    import paramiko  # noqa: PLC0415

    try:
        return transport.open_session(timeout=seconds)
    except paramiko.ChannelException as error:
        message = f"the node's sshd refuses a session to this user: {error.text}"
        remedy = "set MaxSessions in its sshd_config to 10, its default"
        raise NodeError(FailureKind.UNSUPPORTED, Step.CONNECT, message, remedy) from error


class SessionPool:
    """The sessions of one connection; with `ahead` the next one is opened before it is needed."""

    def __init__(self, transport: Transport, *, ahead: bool = False) -> None:
        self._transport, self._ahead = transport, ahead
        self._spare: Channel | None = None
        self._last_answer = time.monotonic()

    def execute(self, command: str, seconds: float) -> Channel:
        """Return a session in which a command was requested."""
        channel = self.take(seconds)
        request_command(channel, command)
        return channel

    def take(self, seconds: float) -> Channel:
        """Return a session: the one that was opened ahead, or a new one."""
        import paramiko  # noqa: PLC0415

        spare, self._spare = self._spare, None
        if spare is not None and not spare.closed:
            return spare
        for pause in _PAUSES:
            try:
                return self._transport.open_session(timeout=seconds)
            except paramiko.ChannelException:
                time.sleep(pause)
        return open_session(self._transport, seconds)

    def open_ahead(self, seconds: float) -> None:
        """Open the next session ahead; if sshd grants only one (MaxSessions), never try again."""
        import paramiko  # noqa: PLC0415

        if not self._ahead:
            return
        try:
            self._spare = self._transport.open_session(timeout=seconds)
        except paramiko.ChannelException:
            self._ahead = False

    def record_answer(self) -> None:
        """Record that sshd has answered just now."""
        self._last_answer = time.monotonic()

    def is_alive(self, seconds: float) -> bool:
        """Return whether sshd still answers; opening a session has no effect there."""
        import paramiko  # noqa: PLC0415

        if not self._transport.is_active():
            return False
        if time.monotonic() - self._last_answer < ANSWER_VALID_SECONDS:
            return True
        try:
            if self._spare is not None:
                self._spare.close()
            self._spare = self._transport.open_session(timeout=seconds)
        except paramiko.ChannelException:
            self._spare = None  # a refusal is an answer
        except (OSError, EOFError, paramiko.SSHException):
            return False
        return True
