"""k3s's reading of registries.yaml: the YAML libraries and types that it decodes the file with."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.crictl import build_go, compiler
from tests.lab.host import LabError, cache_folder

_SOURCE = Path(__file__).with_name("registries")


@dataclass(frozen=True, slots=True)
class Read:
    """What one text comes to by yaml.v2, as k3s has it, and by yaml.v3; errors are None if none."""

    v2: dict[str, Any]
    v3: dict[str, Any]
    error: str | None


class Reader:
    """A running reader: a line in, a line out."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self, text: str) -> Read:
        """Return what k3s would read in a text."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(text, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        error = told.get("error2") or told.get("error3")
        return Read(told["v2"], told["v3"], error)


@functools.cache
def k3s_reader() -> Reader | None:
    """Start the reader, built once a machine; None where Go or its modules are missing."""
    text = b"".join(path.read_bytes() for path in sorted(_SOURCE.iterdir()))
    program = cache_folder() / f"registries-{hashlib.sha256(text).hexdigest()[:12]}"
    if not program.is_file():
        go = compiler()
        if go is None:
            return None
        try:
            build_go(go, _SOURCE, ".", "", program)
        except LabError:
            return None
    return Reader(program)
