"""A stand-in for k3s and RKE2 on a node: a program that generates containerd's files as they do."""

from __future__ import annotations

import functools
import hashlib
import shutil
from pathlib import Path

from tests.lab.crictl import build_go, compiler
from tests.lab.host import LabError, cache_folder
from tests.lab.node import LabNode

_SOURCE = Path(__file__).with_name("k3s")


@functools.cache
def k3s_program() -> Path | None:
    """Return the program, built once a machine; None where Go or its modules are missing."""
    text = b"".join(path.read_bytes() for path in sorted(_SOURCE.iterdir()))
    program = cache_folder() / f"k3s-{hashlib.sha256(text).hexdigest()[:12]}"
    if not program.is_file():
        go = compiler()
        if go is None:
            return None
        try:
            build_go(go, _SOURCE, ".", "", program)
        except LabError:
            return None
    return program


def install_k3s(node: LabNode, program: Path, path: str) -> None:
    """Put the program on a node that is up."""
    target = node.root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(program, target.with_name(f".{target.name}.new"))
    target.with_name(f".{target.name}.new").rename(target)
