"""k3s's reading of registries.yaml: rancher/wharfie, the library with which it reads the file."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.crictl import build_go, compiler
from tests.lab.host import LabError, cache_folder, say

_SOURCE = Path(__file__).with_name("registries")


@dataclass(frozen=True, slots=True)
class Read:
    """What one text comes to by wharfie, as k3s has it, and by yaml.v3; errors are None if none.

    `asked` has the requests of each image: every URL with the login that its host gets.
    """

    v2: dict[str, Any]
    v3: dict[str, Any]
    error: str | None
    asked: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


class Reader:
    """A running reader: a line in, a line out."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def read(self, text: str, images: Iterable[str] = ()) -> Read:
        """Return what k3s would read in a text, and where it would look for images."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"text": text, "images": list(images)}
        self._process.stdin.write(json.dumps(question, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        asked = {
            image: [(request["url"], request["login"]) for request in requests]
            for image, requests in (told["asked"] or {}).items()
        }
        return Read(told["v2"], told["v3"], told.get("error2") or told.get("error3"), asked)


@functools.cache
def k3s_reader() -> Reader | None:
    """Start the reader, built once a machine; None, said aloud, where it cannot be built."""
    text = b"".join(path.read_bytes() for path in sorted(_SOURCE.iterdir()))
    program = cache_folder() / f"registries-{hashlib.sha256(text).hexdigest()[:12]}"
    if not program.is_file():
        go = compiler()
        if go is None:
            say("no Go on this machine: nothing checks how k3s reads registries.yaml")
            return None
        say("building the reader of registries.yaml from rancher/wharfie")
        try:
            build_go(go, _SOURCE, ".", "", program)
        except LabError as error:
            say(f"nothing checks how k3s reads registries.yaml: {str(error)[-300:]}")
            return None
    return Reader(program)
