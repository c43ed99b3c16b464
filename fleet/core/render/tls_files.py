"""The TLS files of one host, in configs that name one CA, one certificate and one key."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.core.model.mirror import Mirror


def tls_paths(mirror: Mirror, stem: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the path of each file, of fleet's own or on the node already."""
    if mirror.ca:
        yield "ca_file", f"{stem}.ca.pem"
    elif mirror.ca_paths:
        yield "ca_file", mirror.ca_paths[0]
    if mirror.client:
        yield from (("cert_file", f"{stem}.client.pem"), ("key_file", f"{stem}.client.key.pem"))
    elif mirror.client_paths:
        yield from zip(("cert_file", "key_file"), mirror.client_paths[0], strict=True)


def tls_contents(mirror: Mirror, stem: str) -> Iterator[tuple[str, bytes, bool]]:
    """Yield the path and content of each file of fleet's own, and whether it is private."""
    if mirror.ca:
        yield f"{stem}.ca.pem", b"".join(mirror.ca), False
    for pair in mirror.client[:1]:
        yield f"{stem}.client.pem", pair.certificate, pair.key is None
        key = pair.certificate if pair.key is None else pair.key
        yield f"{stem}.client.key.pem", key, True
