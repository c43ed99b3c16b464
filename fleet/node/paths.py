"""Parser for the probe's record of paths, robust against anything a node sends."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.model.paths import Identity, Kind, PathEntry, kind_of
from fleet.node.script import Reply, decode_field

_FIELDS = 8


def read_places(reply: Reply) -> dict[str, PathEntry]:
    """Read the file at each path; skip lines that stat did not write."""
    entries: dict[str, PathEntry] = {}
    for fields in reply.all("places"):
        for line in _lines(fields[0]):
            _add_entry(entries, line)
    for fields in reply.all("links"):
        if len(fields) == 4:
            _add_targets(entries, *map(_lines, fields))
    return entries


def _lines(field: str) -> list[str]:
    return decode_field(field).decode("utf-8", "surrogateescape").split("\n")


def _add_entry(entries: dict[str, PathEntry], line: str) -> None:
    *words, path = line.split(" ", _FIELDS)
    try:
        mode = int(words[0], 16)
        device, inode, links, size, uid, gid, changed_at = map(int, words[1:])
    except (ValueError, IndexError):
        return
    entries[path] = PathEntry(
        kind=kind_of(mode),
        device=device,
        inode=inode,
        links=links,
        size=size,
        mode=mode & 0o7777,
        uid=uid,
        gid=gid,
        changed_at=changed_at,
    )


def _add_targets(
    entries: dict[str, PathEntry],
    paths: list[str],
    targets: list[str],
    real: list[str],
    ends: list[str],
) -> None:
    """Add the targets of links; skip them if they do not match the links one by one."""
    identities = dict(filter(None, map(_parse_end, ends)))
    complete = len(paths) == len(targets) == len(real)
    for index, path in enumerate(paths):
        entry = entries.get(path)
        if entry is not None and entry.kind is Kind.LINK:
            target, real_path = (targets[index], real[index]) if complete else ("", "")
            entries[path] = replace(
                entry, leads=identities.get(path), target=target, real=real_path
            )


def _parse_end(line: str) -> tuple[str, Identity] | None:
    device, _, rest = line.partition(" ")
    inode, _, path = rest.partition(" ")
    try:
        return path, (int(device), int(inode))
    except ValueError:
        return None
