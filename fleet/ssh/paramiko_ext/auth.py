"""A login by key with one round trip less than Paramiko's."""

from __future__ import annotations

import threading
from typing import Any

from paramiko import Message, PKey, Transport
from paramiko.auth_handler import AuthHandler as _AuthHandler

_Base: Any = _AuthHandler  # its type stub lacks the methods that are overridden here


def certificate_blob(key: PKey) -> bytes | None:
    """Return the certificate that goes with a key; None if it has none."""
    certificate: Any = key.public_blob
    return certificate.key_blob if certificate else None


class EagerAuth(_Base):  # type: ignore[misc]
    """A login that sends its signed request without waiting for the answer to the service request.

    sshd handles both requests in order, so the client need not wait in between (RFC 4253, section
    10). `allowed_methods` are the methods that sshd named in its last refusal.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.allowed_methods: tuple[str, ...] = ()
        transport.auth_handler = self

    @property
    def banner_text(self) -> str:
        """Return the message that sshd showed before the login; empty if there was none."""
        return (self.banner or b"").decode("utf-8", "replace")

    def log_in(self, user: str, key: PKey) -> list[str]:
        """Try a key; return the further methods that sshd requires, usually none.

        Raise Paramiko's AuthenticationException if sshd refuses the key.
        """
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
