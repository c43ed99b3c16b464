"""Paths of a node: the type, identity and links of the file at a path, and its clean form."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of a file, as messages name it."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "symbolic link"
    FIFO = "FIFO"
    SOCKET = "socket"
    BLOCK = "block device"
    CHARACTER = "character device"
    OTHER = "unknown type"


_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.LINK,
    stat.S_IFIFO: Kind.FIFO,
    stat.S_IFSOCK: Kind.SOCKET,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFCHR: Kind.CHARACTER,
}


_PLAIN = re.compile(r"/[A-Za-z0-9_.:/@%+\[\]-]*")


Identity = tuple[int, int]
"""Device and inode: two paths with the same identity are one file or one folder."""


FileKey = tuple[Identity | str, str]
"""A key that all paths of a file share: the identity of its folder, and its name there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathEntry:
    """The file at one path; a link is not followed.

    `target` is the text of a link, `real` its path without links, and `leads` the identity of the
    file that it leads to, or None if there is none.
    """

    kind: Kind
    device: int
    inode: int
    links: int = 1
    size: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    changed_at: int = 0
    target: str = ""
    real: str = ""
    leads: Identity | None = None

    @property
    def identity(self) -> Identity | None:
        """Return the identity of the file that this path reaches; None for a broken link."""
        return self.leads if self.kind is Kind.LINK else (self.device, self.inode)


Places = Mapping[str, PathEntry]

PATH_MAX = 4096
"""Bytes of the longest path that Linux takes, its NUL included (linux/limits.h)."""


def kind_of(mode: int) -> Kind:
    """Return the type of a file from the mode that stat reports."""
    return _KINDS.get(stat.S_IFMT(mode), Kind.OTHER)


def clean_path(path: str) -> str:
    """Return a path as Go's filepath.Clean writes it; a relative path starts at the root.

    containerd cleans every path in its config so, and systemd runs daemons in the root folder.
    """
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts)


def plain_path(path: str) -> bool:
    """Return whether fleet writes to a path: it is absolute and has no special characters."""
    return _PLAIN.fullmatch(path) is not None and "/../" not in path


def hosts_directories(config_path: str) -> tuple[str, ...]:
    """Return the folders in a config_path, in order, as containerd looks them up."""
    return tuple(clean_path(part) for part in config_path.split(":") if part)


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the nearest first, without the root folder.

    There are none above a path longer than PATH_MAX: Linux opens no such path, and the folders of
    one that a node claims to have would cost quadratic time.
    """
    if len(path) > PATH_MAX:
        return
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def real_path(places: Places, path: str) -> str:
    """Return a path without links, as far as the probe looked at its components."""
    rest = ""
    for folder in (path, *folders_above(path)):
        place = places.get(folder)
        if place is not None and place.real:
            return clean_path(place.real + rest)
        name = folder.rpartition("/")[2]
        rest = f"/{name}{rest}"
    return path


def file_key(places: Places, path: str) -> FileKey:
    """Return a key that is equal for two paths of the same file.

    Hard links count as different files: replacing one leaves the others as they are.
    """
    place = places.get(path)
    whole = place.real if place is not None and place.kind is Kind.LINK and place.real else path
    folder, _, name = whole.rpartition("/")
    return identity_of(places, folder) or real_path(places, folder), name


def identity_of(places: Places, path: str) -> Identity | None:
    """Return device and inode of the file that a path reaches; None if the probe saw none."""
    place = places.get(path)
    return place.identity if place is not None else None
