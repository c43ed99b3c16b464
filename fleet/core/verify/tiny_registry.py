"""A registry of one tiny image, in memory."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


_CONFIG = "application/vnd.oci.image.config.v1+json"


_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


_TLS_HELLO = b"\x16"


_NO_TLS = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class TinyRegistry:
    """A registry that serves one image under any name."""

    manifest: bytes
    blobs: Mapping[str, bytes]

    def answer(self, request: bytes) -> bytes | None:
        """Return the whole response to a request; None while the request is incomplete."""
        if request.startswith(_TLS_HELLO):
            # Go recognizes this response as plain HTTP, and asks again without TLS.
            return _NO_TLS
        if _END not in request:
            return None
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        return _response(*self._content(path), head=method == b"HEAD")

    def _content(self, path: str) -> tuple[int, str, bytes]:
        head, _, name = path.rpartition("/")
        if path in {"/v2", "/v2/"}:
            return 200, "application/json", b"{}"
        if head.endswith("/manifests") and (":" not in name or name == digest(self.manifest)):
            return 200, _MANIFEST, self.manifest
        if head.endswith("/blobs") and name in self.blobs:
            return 200, "application/octet-stream", self.blobs[name]
        return 404, "application/json", b'{"errors":[]}'


def _response(status: int, kind: str, body: bytes, *, head: bool) -> bytes:
    fields = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        f"Docker-Content-Digest: {digest(body)}",
        "Docker-Distribution-API-Version: registry/2.0",
        "Connection: close",
    )
    return "\r\n".join(fields).encode() + _END + (b"" if head else body)


def digest(content: bytes) -> str:
    """Return the SHA-256 digest by which registries name content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def tiny_registry(nonce: str) -> TinyRegistry:
    """Make an image that no cache has, so that it must be downloaded; `nonce` makes it unique."""
    text = f"fleet self-test {nonce}\n".encode()
    entry = tarfile.TarInfo("fleet-selftest")
    entry.size = len(text)
    plain = entry.tobuf() + text.ljust(512, b"\0") + bytes(1024)
    layer = gzip.compress(plain, mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"fleet": nonce}},
            "rootfs": {"type": "layers", "diff_ids": [digest(plain)]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": digest(config)},
        "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": digest(layer)}],
    }
    blobs = {digest(content): content for content in (config, layer)}
    return TinyRegistry(json.dumps(manifest).encode(), blobs)
