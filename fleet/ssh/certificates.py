"""The validity period of an OpenSSH user certificate."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

_FIELDS = {
    b"ssh-ed25519-cert-v01@openssh.com": 1,
    b"sk-ssh-ed25519-cert-v01@openssh.com": 2,
    b"ssh-rsa-cert-v01@openssh.com": 2,
    b"ecdsa-sha2-nistp256-cert-v01@openssh.com": 2,
    b"ecdsa-sha2-nistp384-cert-v01@openssh.com": 2,
    b"ecdsa-sha2-nistp521-cert-v01@openssh.com": 2,
    b"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com": 3,
}
"""The number of strings in the public key itself, by kind (PROTOCOL.certkeys of OpenSSH)."""
_LAST = 253_402_300_799
"""The last second of the year 9999. A certificate without an end has a later one."""


def expired_certificate(blob: bytes, now: float) -> str:
    """Return when a certificate expired or becomes valid; empty if it is valid or a bare key."""
    try:
        after, before = _read_validity(blob)
    except (struct.error, KeyError):
        return ""
    if now >= before:
        return f"expired at {_format_time(before)}"
    return f"is not valid before {_format_time(after)}" if now < after else ""


def _read_validity(blob: bytes) -> tuple[int, int]:
    kind, offset = _read_string(blob, 0)
    for _ in range(1 + _FIELDS[kind]):  # the nonce comes first
        _, offset = _read_string(blob, offset)
    offset += 12  # serial number and type (user or host)
    for _ in range(2):  # key id, principals
        _, offset = _read_string(blob, offset)
    after, before = struct.unpack_from(">QQ", blob, offset)
    return after, before


def _read_string(blob: bytes, offset: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", blob, offset)
    return blob[offset + 4 : offset + 4 + size], offset + 4 + size


def _format_time(second: int) -> str:
    return datetime.fromtimestamp(min(second, _LAST), UTC).strftime("%Y-%m-%d %H:%M UTC")
