"""Certificates and keys in PEM, checked for the parts that Go's crypto/tls requires of a file."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_EDGE = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----[ \t\r]*")


_HEADER = re.compile(rb"^[A-Za-z-]+:.*$", re.MULTILINE)


_SEQUENCE = 0x30


def holds_certificate(content: bytes) -> bool:
    """Return whether a text holds at least one complete certificate."""
    return any(name == b"CERTIFICATE" and _is_der(body) for name, body in _blocks(content))


def key_problem(content: bytes) -> str:
    """Return why a text cannot be used as a private key; empty if it holds one."""
    for name, body in _blocks(content):
        if name == b"PRIVATE KEY" or name.endswith(b" PRIVATE KEY"):
            if name.startswith(b"ENCRYPTED") or b"ENCRYPTED" in body.partition(b"\n")[0]:
                return "is encrypted"
            return "" if _is_der(body) else "contains a damaged key"
    return "contains no private key in PEM form"


def _blocks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the lines of every complete block, in one pass over the text."""
    name, lines = b"", list[bytes]()
    for line in content.split(b"\n"):
        edge = _EDGE.fullmatch(line)
        if edge is None:
            lines.append(line)
            continue
        if edge[1] == b"END" and edge[2] == name:
            yield name, b"\n".join(lines)
        name, lines = (edge[2], []) if edge[1] == b"BEGIN" else (b"", [])


def _is_der(body: bytes) -> bool:
    """Return whether base64 text holds an ASN.1 sequence of the length in its header."""
    try:
        data = base64.b64decode(b"".join(_HEADER.sub(b"", body).split()), validate=True)
    except binascii.Error:
        return False
    if len(data) < 2 or data[0] != _SEQUENCE:
        return False
    size, at = data[1], 2
    if size > 0x80:
        at += size - 0x80
        size = int.from_bytes(data[2:at], "big")
    return len(data) == at + size
