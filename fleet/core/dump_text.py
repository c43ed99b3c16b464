"""What a `containerd config dump` says outside the registry tables; staging does the same in sh."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_SKIPPED = ("time=", "imports =")
_REGISTRY = re.compile(r".*\[plugins.*\.registry(\..*)?\]", re.DOTALL)
_TABLE = re.compile(r"(.*\[.*plugins\..*|\[.*)\]", re.DOTALL)
_IGNORED = re.compile(r"Ignoring unknown key.*key=\"?registry")


def outside_registry(dump: str) -> str:
    """Return the SHA-256 of a dump without its registry tables, imports, log and empty lines."""
    return hashlib.sha256("".join(f"{line}\n" for line in _outside(dump)).encode()).hexdigest()


def _outside(dump: str) -> Iterator[str]:
    inside = False
    for line in dump.split("\n"):
        if not line or line.startswith(_SKIPPED):
            continue
        if _REGISTRY.fullmatch(line):
            inside = True
        elif _TABLE.fullmatch(line):
            inside = False
        if not inside:
            yield line


def ignored_registries(dump: str) -> int:
    """Count the warnings that a registry table of the file is passed over (2.x)."""
    return sum(_IGNORED.search(line) is not None for line in dump.split("\n"))
