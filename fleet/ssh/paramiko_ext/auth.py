"""A Paramiko transport that reports login banners, and a login with one round trip less."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

from paramiko import Message, PKey, Transport
from paramiko.auth_handler import AuthHandler as _AuthHandler

_Base: Any = _AuthHandler  # its stub lacks the methods that change here


class BannerTransport(Transport):
    """A transport that records the server's text before its version, and its algorithms.

    OpenSSH sends its reason there when it hangs up: MaxStartups, or PerSourcePenalties.
    """

    text_before_version = ""
    server_algorithms: dict[str, list[str]] | None = None

    def _really_parse_kex_init(self, m: Message, ignore_first_byte: bool = False) -> Any:
        parsed = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]
        if not ignore_first_byte:
            self.server_algorithms = dict(parsed)
        return parsed

    def _log(self, level: int, msg: object, *args: object) -> None:
        if isinstance(msg, str) and msg.startswith("Banner: "):
            self.text_before_version = msg.removeprefix("Banner: ").strip()
        super()._log(level, msg, *args)  # type: ignore[misc]

    def stop_thread(self) -> None:
        """End the connection and its reader at once, although the reader is waiting."""
        self.active = False
        if isinstance(self.sock, socket.socket):
            with suppress(OSError):  # it may be gone already
                self.sock.shutdown(socket.SHUT_RDWR)
        super().stop_thread()


class EagerAuth(_Base):  # type: ignore[misc]
    """A login that sends the signed request right after the service request, not after its answer.

    sshd reads them one after the other, so the answer in between need not be awaited (RFC 4253,
    10). `allowed_methods` are those that sshd named when it refused.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.allowed_methods: tuple[str, ...] = ()
        transport.auth_handler = self

    def log_in(self, user: str, key: PKey) -> list[str]:
        """Try a key; return the further methods that sshd requires, usually none."""
        answered = threading.Event()
        self.auth_publickey(user, key, answered)
        return list(self.wait_for_response(answered))

    def _request_auth(self) -> None:
        super()._request_auth()
        accepted = Message()
        accepted.add_string("ssh-userauth")
        accepted.rewind()
        super()._parse_service_accept(accepted)

    def _parse_service_accept(self, m: Message) -> None:
        """Ignore the answer: the request has already been sent."""

    def _parse_userauth_failure(self, m: Message) -> None:
        position = m.packet.tell()
        self.allowed_methods = tuple(m.get_list())
        m.packet.seek(position)
        super()._parse_userauth_failure(m)
