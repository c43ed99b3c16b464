"""The output of `containerd config dump` outside its registry tables.

The stage script does the same in sh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

_SKIPPED = ("time=", "imports =")


_IGNORED = "Ignoring unknown key"


def outside_registry(dump: str) -> str:
    """Return the SHA-256 of a dump without its registry tables, imports, log and empty lines."""
    return hashlib.sha256(
        "".join(f"{line}\n" for line in _lines_outside(dump)).encode()
    ).hexdigest()


def _lines_outside(dump: str) -> Iterator[str]:
    inside = False
    for line in dump.split("\n"):
        if not line or line.startswith(_SKIPPED):
            continue
        if _is_registry(line):
            inside = True
        elif _is_table(line):
            inside = False
        if not inside:
            yield line


def _is_registry(line: str) -> bool:
    """Return whether a line is a registry table's header; in linear time, as it may be long."""
    _, mark, rest = line.partition("[plugins")
    return bool(mark) and (
        rest.endswith(".registry]") or (rest.endswith("]") and ".registry." in rest[:-1])
    )


def _is_table(line: str) -> bool:
    """Return whether a line is any other table's header; in linear time, as it may be long."""
    _, mark, rest = line.partition("[")
    return bool(mark) and rest.endswith("]") and (line[0] == "[" or "plugins." in rest[:-1])


def ignored_registries(dump: str) -> int:
    """Return the number of warnings that a registry table of the file is ignored (2.x)."""
    return sum(_is_ignored(line) for line in dump.split("\n"))


def _is_ignored(line: str) -> bool:
    rest = line.partition(_IGNORED)[2]
    return "key=registry" in rest or 'key="registry' in rest
