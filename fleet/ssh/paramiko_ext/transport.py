"""A Paramiko transport that exposes more of the handshake, and closes without a delay."""

from __future__ import annotations

import socket
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from paramiko import Message, Transport


class ClientTransport(Transport):
    """A client's transport that records what the server sends before and during the handshake.

    `text_before_version` are the lines before the server's version: OpenSSH sends its reason there
    when it hangs up (MaxStartups, PerSourcePenalties). `server_algorithms` are the lists that the
    server offers, by their names in Paramiko; None until they have arrived.
    """

    def __init__(self, wire: Any, seconds: float) -> None:
        super().__init__(wire)
        self.text_before_version = ""
        self.server_algorithms: dict[str, list[str]] | None = None
        self.banner_timeout = self.handshake_timeout = self.auth_timeout = seconds

    def exchange_keys(self, seconds: float) -> None:
        """Do the handshake within `seconds`; raise Paramiko's exceptions, or a TimeoutError."""
        self.start_client(timeout=seconds)
        if not self.initial_kex_done:
            raise TimeoutError  # Paramiko returns normally after its timeout

    def _really_parse_kex_init(self, m: Message, ignore_first_byte: bool = False) -> Any:
        parsed = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]
        if not ignore_first_byte:  # else it is this client's own message
            self.server_algorithms = dict(parsed)
        return parsed

    def _log(self, level: int, msg: object, *args: object) -> None:
        if isinstance(msg, str) and msg.startswith("Banner: "):
            self.text_before_version = msg.removeprefix("Banner: ").strip()
        super()._log(level, msg, *args)  # type: ignore[misc]

    def stop_thread(self) -> None:
        """Close the connection and end its reader thread at once, even while it waits for data."""
        self.active = False
        if isinstance(self.sock, socket.socket):
            with suppress(OSError):  # it may be gone already
                self.sock.shutdown(socket.SHUT_RDWR)
        super().stop_thread()


@dataclass(frozen=True, slots=True)
class Algorithms:
    """The names of all algorithms that Paramiko implements, also of those that it does not offer.

    Its SecurityOptions list only the offered ones, and raise an error for an unknown name.
    """

    kex: Collection[str]
    ciphers: Collection[str]
    macs: Collection[str]
    host_keys: Collection[str]


def implemented_algorithms() -> Algorithms:
    """Return the algorithms that this release of Paramiko implements."""
    tables: Any = Transport
    return Algorithms(tables._kex_info, tables._cipher_info, tables._mac_info, tables._key_info)
