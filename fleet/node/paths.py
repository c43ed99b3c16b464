"""Parser for the probe's record of paths, robust against anything a node sends."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.model.paths import Identity, Kind, PathEntry, kind_of
from fleet.node.script import Reply, decode_field

_FIELDS = 8


def read_places(reply: Reply) -> dict[str, PathEntry]:
    """Read the file at each path; skip lines that stat did not write."""
    found: dict[str, PathEntry] = {}
    for fields in reply.all("places"):
        for line in _lines(fields[0]):
            _add(found, line)
    for fields in reply.all("links"):
        if len(fields) == 4:
            _follow(found, *map(_lines, fields))
    return found


def _lines(field: str) -> list[str]:
    return decode_field(field).decode("utf-8", "surrogateescape").split("\n")


def _add(found: dict[str, PathEntry], line: str) -> None:
    *words, path = line.split(" ", _FIELDS)
    try:
        mode = int(words[0], 16)
        device, inode, links, size, uid, gid, changed_at = map(int, words[1:])
    except (ValueError, IndexError):
        return
    found[path] = PathEntry(
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


def _follow(
    found: dict[str, PathEntry],
    paths: list[str],
    targets: list[str],
    real: list[str],
    ends: list[str],
) -> None:
    """Add the targets of links; skip them if they do not match the links one by one."""
    leads = dict(filter(None, map(_end, ends)))
    told = len(paths) == len(targets) == len(real)
    for at, path in enumerate(paths):
        place = found.get(path)
        if place is not None and place.kind is Kind.LINK:
            target, whole = (targets[at], real[at]) if told else ("", "")
            found[path] = replace(place, leads=leads.get(path), target=target, real=whole)


def _end(line: str) -> tuple[str, Identity] | None:
    device, _, rest = line.partition(" ")
    inode, _, path = rest.partition(" ")
    try:
        return path, (int(device), int(inode))
    except ValueError:
        return None
