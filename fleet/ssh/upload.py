"""One small file by SFTP in two turns: all that can be asked for without an answer is, at once.

Paramiko's own client waits for an answer to each request before the next one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fleet.ssh.sessions import request

if TYPE_CHECKING:
    from paramiko import Channel

_VERSION = 3
_CHUNK = 1 << 15
"""Bytes in a packet: what every server takes (draft-ietf-secsh-filexfer-02)."""


def upload(
    channel: Channel,
    content: bytes,
    place: tuple[str, str],
    meanwhile: Callable[[], None],
    behind: Callable[[], None],
) -> None:
    """Make the folder and write the file in it, named by `place`; neither may be there yet.

    `meanwhile` is done while the first answers are on their way, `behind` while the last are.
    Raises OSError with what the server says, EOFError or SSHException.
    """
    wire = _wire(channel)
    folder, name = place
    request(channel, "subsystem", "sftp")
    _begin(wire, folder, posixpath.join(folder, name))
    meanwhile()
    kind, _ = wire._read_packet()
    if kind != _sftp().CMD_VERSION:
        raise OSError("it speaks no SFTP")
    handle = _answers(wire, (1, 2))
    if handle is None:
        raise OSError("it opened no file")
    numbers = _write(wire, handle, content)
    behind()
    _answers(wire, numbers)


def _sftp() -> Any:
    from paramiko import sftp  # noqa: PLC0415

    return sftp


def _wire(channel: Channel) -> Any:
    """Return Paramiko's framing of packets on a channel."""
    wire = _sftp().BaseSFTP()
    wire.sock = channel
    return wire


def _begin(wire: Any, folder: str, path: str) -> None:
    """Ask for everything up to the open file, which only we may read."""
    from paramiko import Message  # noqa: PLC0415

    sftp = _sftp()
    hello = Message()
    hello.add_int(_VERSION)
    wire._send_packet(sftp.CMD_INIT, hello)
    make = _numbered(1, folder)
    _for_us(0o700, make)
    wire._send_packet(sftp.CMD_MKDIR, make)
    opening = _numbered(2, path)
    opening.add_int(sftp.SFTP_FLAG_WRITE | sftp.SFTP_FLAG_CREATE | sftp.SFTP_FLAG_EXCL)
    _for_us(0o600, opening)
    wire._send_packet(sftp.CMD_OPEN, opening)


def _for_us(mode: int, message: Any) -> None:
    from paramiko import SFTPAttributes  # noqa: PLC0415

    about: Any = SFTPAttributes()
    about.st_mode = mode
    about._pack(message)


def _write(wire: Any, handle: bytes, content: bytes) -> range:
    """Send the content and the end of it; return the numbers of these requests."""
    sftp = _sftp()
    number = 3
    for offset in range(0, len(content), _CHUNK):
        part = _numbered(number, handle)
        part.add_int64(offset)
        part.add_string(content[offset : offset + _CHUNK])
        wire._send_packet(sftp.CMD_WRITE, part)
        number += 1
    wire._send_packet(sftp.CMD_CLOSE, _numbered(number, handle))
    return range(3, number + 1)


def _numbered(number: int, about: str | bytes) -> Any:
    from paramiko import Message  # noqa: PLC0415

    message = Message()
    message.add_int(number)
    message.add_string(about)
    return message


def _answers(wire: Any, numbers: Iterable[int]) -> bytes | None:
    """Read the answer to each request; return the handle that one of them gave."""
    from paramiko import Message  # noqa: PLC0415

    sftp, waiting = _sftp(), set(numbers)
    handle = None
    while waiting:
        kind, data = wire._read_packet()
        message = Message(data)
        waiting.discard(message.get_int())
        if kind == sftp.CMD_HANDLE:
            handle = message.get_binary()
        elif kind != sftp.CMD_STATUS or (code := message.get_int()) != sftp.SFTP_OK:
            told = message.get_text() if kind == sftp.CMD_STATUS else f"packet {kind}"
            raise OSError(told or sftp.SFTP_DESC[code])
    return handle
