"""Channels: a command without a wait for the reply, waits with a deadline, ordered closes."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from paramiko import Channel


class OutputEvent(Protocol):
    """An event that Paramiko sets and clears as a channel's buffer fills, empties or ends."""

    def set(self) -> None:
        """Report that there is data, or that the stream has ended."""
        ...

    def clear(self) -> None:
        """Report that the buffer is empty."""
        ...


def request_command(channel: Channel, command: str) -> None:
    """Request a command in a session, and do not wait for the reply.

    Paramiko would wait a round trip for it. If sshd refuses, it closes the session.
    """
    import paramiko  # noqa: PLC0415

    message = paramiko.Message()
    message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("exec")
    message.add_boolean(True)
    message.add_string(command)
    transport: Any = channel.get_transport()
    transport._send_user_message(message)


def exit_code(channel: Channel, seconds: float) -> int:
    """Return a command's exit code, -1 if it has none; raise a TimeoutError after `seconds`.

    Paramiko's recv_exit_status waits without a limit.
    """
    if not channel.status_event.wait(seconds):
        raise TimeoutError
    return channel.recv_exit_status()


def on_output(channel: Channel, event: OutputEvent) -> None:
    """Register an event that both streams of a channel set when they have data or have ended."""
    streams: tuple[Any, ...] = (channel.in_buffer, channel.in_stderr_buffer)
    for stream in streams:
        stream.set_event(event)


class ChannelSocket:
    """A channel through a shared jump host; nothing is sent on it after its end.

    Paramiko releases the channel's lock between checking that it is open and sending. Data that
    overtakes a close by another thread makes sshd drop the whole connection ("data packet referred
    to nonexistent channel"), and with it every node behind the jump host. This class therefore
    delays the messages of a close until no send is running.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._sending = 0
        self._queued: list[Any] = []
        self._original_close = channel._close_internal
        channel._close_internal = self._close_messages

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the channel."""
        return getattr(self._channel, name)

    def send(self, data: bytes) -> int:
        """Send some of the data, and after it the messages of a close."""
        with self._lock:
            self._sending += 1
        try:
            return int(self._channel.send(data))
        finally:
            for message in self._finish_send():
                self._channel.transport._send_user_message(message)

    def _finish_send(self) -> list[Any]:
        with self._lock:
            self._sending -= 1
            queued, self._queued = ([], self._queued) if self._sending else (self._queued, [])
        return queued

    def _close_messages(self) -> tuple[Any, Any]:
        """Return the messages that end the channel, or queue them for the sending thread."""
        messages = self._original_close()
        with self._lock:
            if not self._sending:
                return messages[0], messages[1]
            self._queued += [message for message in messages if message is not None]
        return None, None

    def close(self) -> None:
        """Close the channel; a jump host that is gone needs no message."""
        with suppress(OSError, EOFError):
            self._channel.close()
