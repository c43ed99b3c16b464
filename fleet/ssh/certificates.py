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
        after, before = _validity(blob)
    except (struct.error, KeyError):
        return ""
    if now >= before:
        return f"expired at {_when(before)}"
    return f"is valid only from {_when(after)} on" if now < after else ""


def _validity(blob: bytes) -> tuple[int, int]:
    kind, place = _string(blob, 0)
    for _ in range(1 + _FIELDS[kind]):  # the nonce comes first
        _, place = _string(blob, place)
    place += 12  # serial number and type (user or host)
    for _ in range(2):  # key id, principals
        _, place = _string(blob, place)
    after, before = struct.unpack_from(">QQ", blob, place)
    return after, before


def _string(blob: bytes, place: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", blob, place)
    return blob[place + 4 : place + 4 + size], place + 4 + size


def _when(second: int) -> str:
    return datetime.fromtimestamp(min(second, _LAST), UTC).strftime("%Y-%m-%d %H:%M UTC")
