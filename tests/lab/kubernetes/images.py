"""Runnable images for pods: one static program, as an archive that `ctr images import` reads."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

APP = "docker.io/library/lab-app:1"
SANDBOXES = tuple(f"registry.k8s.io/pause:{tag}" for tag in ("3.6", "3.8", "3.9", "3.10"))
"""The sandbox images that the containerd of the lab's suites asks for, by their defaults."""
_FOLDERS = ("etc", "tmp", "dev", "proc", "sys")


def write_archive(program: Path, references: Sequence[str], target: Path) -> None:
    """Write an archive in Docker's format whose image holds the program as /app."""
    layer = _layer(program.read_bytes())
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
    }
    body = json.dumps(config).encode()
    name = f"{_digest(body)}.json"
    manifest = [{"Config": name, "RepoTags": list(references), "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as archive:
        _add(archive, "layer.tar", layer)
        _add(archive, name, body)
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _layer(program: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as layer:
        _add(layer, "app", program, 0o755)
        for name in _FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(folder)
    return content.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
