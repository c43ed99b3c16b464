"""A channel through a jump host: nothing may follow its end, or sshd drops all nodes behind it."""

from __future__ import annotations

import threading
from typing import Any

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_DATA, MSG_CHANNEL_EOF

from fleet.ssh.paramiko_ext.channel import ChannelSocket

ENDED = [MSG_CHANNEL_EOF, MSG_CHANNEL_CLOSE]


class Recorder:
    """The jump host's transport: it writes down what is sent, and data takes its time."""

    active = True

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.sending, self.go_on = threading.Event(), threading.Event()

    def _send_user_message(self, message: paramiko.Message) -> None:
        kind = message.asbytes()[0]
        if kind == MSG_CHANNEL_DATA:
            self.sending.set()
            assert self.go_on.wait(5)
        self.sent.append(kind)

    def get_log_channel(self) -> str:
        return "test"

    def is_active(self) -> bool:
        return True

    def _sanitize_packet_size(self, size: int) -> int:
        return size

    def _unlink_channel(self, number: int) -> None:
        pass


@pytest.fixture
def channel() -> Any:
    """Return an open channel of Paramiko's over a recorder."""
    channel: Any = paramiko.Channel(1)
    channel._set_transport(Recorder())
    channel._set_window(1 << 20, 1 << 15)
    channel._set_remote_channel(7, 1 << 20, 1 << 15)
    return channel


@pytest.mark.parametrize("by_us", [True, False], ids=["by us", "by the jump host"])
def test_a_close_in_the_middle_of_a_send_goes_out_behind_the_data(
    channel: Any, by_us: bool
) -> None:
    wire, transport = ChannelSocket(channel), channel.transport
    sender = threading.Thread(target=wire.send, args=(b"data",))
    sender.start()
    assert transport.sending.wait(5)

    if by_us:
        wire.close()
    else:
        channel._handle_close(paramiko.Message())
    before = list(transport.sent)
    transport.go_on.set()
    sender.join(5)

    assert (before, transport.sent) == ([], [MSG_CHANNEL_DATA, *ENDED])


def test_a_close_goes_out_at_once_where_nobody_sends(channel: Any) -> None:
    wire = ChannelSocket(channel)
    channel.transport.go_on.set()
    assert wire.send(b"data") == 4
    wire.close()
    wire.close()

    with pytest.raises(OSError, match="closed"):
        wire.send(b"more")
    assert channel.transport.sent == [MSG_CHANNEL_DATA, *ENDED]
