"""The files in a node's reply: each with its attributes and its content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail
from fleet.core.model.change import ManagedFile
from fleet.node.script import Reply, decode_field, protocol_error

_STAT = re.compile(r"([0-7]{1,6}) ([0-9]{1,10}) ([0-9]{1,10}) (-?[0-9]{1,12}) ([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file on the node; `link` is whether it was read through a symbolic link."""

    path: str
    file: ManagedFile
    mtime: int
    link: bool


def file_records(reply: Reply) -> Iterator[FileRecord]:
    """Split the record of all files: kinds, names and stat lines, and their joined contents."""
    for (contents,), (kind_marks, names, stat_lines) in zip(
        reply.rows("contents", 1), reply.rows("files", 3), strict=False
    ):
        kinds = decode_field(kind_marks).decode("ascii", "replace")
        paths = split_names(decode_field(names))
        stats = [
            _parse_stat(line)
            for line in decode_field(stat_lines).decode("ascii", "replace").splitlines()
        ]
        content = decode_field(contents)
        sizes = [size for *_, size in stats]
        if not len(kinds) == len(paths) == len(stats) or sum(sizes) != len(content):
            message = "files changed again and again while fleet read them"
            raise NodeError(FailureKind.PROTOCOL, Step.PROBE, message, "run the command again")
        start = 0
        for kind, path, (mode, uid, gid, mtime, size) in zip(kinds, paths, stats, strict=True):
            file = ManagedFile(content[start : start + size], mode, uid, gid)
            start += size
            yield FileRecord(path, file, mtime, kind == "l")


def _parse_stat(line: str) -> tuple[int, int, int, int, int]:
    """Parse a line of stat: mode, uid, gid, mtime and size."""
    match = _STAT.fullmatch(line)
    if match is None:
        raise protocol_error("not a line of stat", line[:200])
    mode, *others = match.groups()
    uid, gid, mtime, size = map(int, others)
    return int(mode, 8), uid, gid, mtime, size


def split_names(names: bytes) -> list[str]:
    """Split names at line feeds only; Unicode's other line separators may be part of a name."""
    return names.decode("utf-8", "surrogateescape").split("\n")[:-1]


def file_text(records: Mapping[str, FileRecord], path: str) -> str | None:
    """Return the last lines of a file as text; None if it was not read."""
    return tail(records[path].file.content.decode("utf-8", "replace")) if path in records else None
