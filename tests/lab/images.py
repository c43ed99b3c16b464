"""Tiny images for the lab's registry: one of each registry that mirrors.yaml names."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import tarfile
from dataclasses import dataclass

IMAGES = {
    "docker.io": "docker.io/library/busybox:1.36",
    "registry.k8s.io": "registry.k8s.io/pause:3.9",
    "docker.elastic.co": "docker.elastic.co/beats/filebeat:8.15.0",
    "gcr.io": "gcr.io/distroless/static:latest",
    "ghcr.io": "ghcr.io/fluxcd/source-controller:v1.4.1",
    "k8s.gcr.io": "k8s.gcr.io/pause:3.2",
    "mcr.microsoft.com": "mcr.microsoft.com/oss/kubernetes/pause:3.6",
    "nvcr.io": "nvcr.io/nvidia/k8s-device-plugin:v0.16.2",
    "quay.io": "quay.io/prometheus/busybox:latest",
    "registry.jujucharms.com": "registry.jujucharms.com/charm/pause:1.0",
    "rocks.canonical.com": "rocks.canonical.com/cdk/pause:3.9",
}
MORE = ("docker.io/library/busybox:latest",)
STALE = "stale-"
"""Tags with this prefix hold an older variant, for the mirror that serves stale tags."""
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True)
class Image:
    """A manifest with its two blobs."""

    manifest: bytes
    config: bytes
    layer: bytes


def repository(reference: str) -> tuple[str, str]:
    """Part a full reference into the repository on a mirror, and the tag."""
    path, _, tag = reference.partition("/")[2].rpartition(":")
    return path, tag


def make_image(text: str) -> Image:
    """Make an image whose one layer holds a file with this text."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        entry = tarfile.TarInfo("lab.txt")
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
    layer = gzip.compress(plain.getvalue(), mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(plain.getvalue())]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)}],
    }
    return Image(json.dumps(manifest).encode(), config, layer)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def push_all(address: str) -> None:
    """Push every image, and an older variant of each, to the registry at that address."""
    for reference in (*IMAGES.values(), *MORE):
        path, tag = repository(reference)
        push(address, path, tag, make_image(f"{path} as it is\n"))
        push(address, path, f"{STALE}{tag}", make_image(f"{path} as it was\n"))


def push(address: str, path: str, tag: str, image: Image) -> None:
    """Push one image through the registry's API."""
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    for blob in (image.config, image.layer):
        location = _call(connection, "POST", f"/v2/{path}/blobs/uploads/", b"", 202)
        mark = "&" if "?" in location else "?"
        _call(connection, "PUT", f"{location}{mark}digest={_digest(blob)}", blob, 201)
    _call(connection, "PUT", f"/v2/{path}/manifests/{tag}", image.manifest, 201, _MANIFEST)
    connection.close()


def _call(
    connection: http.client.HTTPConnection,
    method: str,
    url: str,
    body: bytes,
    expected: int,
    kind: str = "application/octet-stream",
) -> str:
    connection.request(method, url, body, {"Content-Type": kind})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != expected:
        raise RuntimeError(f"{method} {url}: {answer.status} {text[:200]!r}")
    return answer.headers.get("Location", "").replace(f"http://{connection.host}", "")
