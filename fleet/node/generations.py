"""The saved generations of a node, read from the probe's records and checked for damage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from fleet.core.masking.shown_text import tail
from fleet.core.model.change import ManagedFile
from fleet.core.model.generation import (
    MISSING,
    TOO_MANY,
    Generation,
    ManifestEntry,
    SavedEdit,
    SavedKind,
)
from fleet.core.model.owned_state import STATE_FILE, parse_state
from fleet.core.plan.links import LINK_TARGET

GENERATIONS = "/var/lib/fleet/generations/"
_ATTRIBUTES = re.compile(r"[0-7]{1,6} [0-9]{1,10} [0-9]{1,10}")
_COPIES = {"folder": "folders{path}", "link": "links/{index}", "odd": "files/{index}"}
_KINDS = {"file", "symlink", "absent", "newdir", *_COPIES}
_SEALED = ("manifest", "after", "state.json")


def read_generations(
    names: Sequence[str],
    files: Mapping[str, ManagedFile],
    *,
    beside: bool = False,
    crowded: bool = False,
) -> tuple[Generation, ...]:
    """Return the generations of a node, the newest first, with the first damaged file of each.

    One that is missing from the chain is returned as damaged. A node that is `crowded` has not sent
    all saved files, so a missing one there does not count as damage.
    """
    read: list[Generation] = []
    older: set[str] = set()
    for name in reversed(names):
        base = f"{GENERATIONS}{name}/"
        own = {path[len(base) :]: file for path, file in files.items() if path.startswith(base)}
        if own:
            generation = _build_generation(Generation(name, (), beside), base, own, older)
        elif beside:
            continue
        else:
            generation = Generation(name, (), damage=MISSING)
        older.update(entry.path for entry in generation.entries if entry.is_file)
        read.append(
            replace(generation, damage=TOO_MANY) if crowded and generation.damage else generation
        )
    return tuple(reversed(read))


def read_saved_edits(lines: Iterable[str]) -> Iterator[SavedEdit]:
    """Yield the saved edits by others from lines of digest, copy and path."""
    for line in lines:
        digest, _, rest = tail(line, 1).partition(" ")
        copy, _, path = rest.partition(" ")
        if path:
            yield SavedEdit(path, copy, digest)


def _build_generation(
    generation: Generation, base: str, own: Mapping[str, ManagedFile], older: Collection[str]
) -> Generation:
    """Read one generation; copies of paths that are in `older` may be missing from `own`."""
    damage = _find_damaged_file(own)
    entries: list[ManifestEntry] = []
    for line in _manifest_lines(own["manifest"]) if not damage else ():
        try:
            entries.append(_parse_entry(line, base, own, older))
        except (ValueError, LookupError) as error:
            damage = str(error.args[0]) if isinstance(error, LookupError) else "manifest"
            break
    if not damage and (not entries or not own["manifest"].content.endswith(b"\n")):
        damage = "manifest"
    ill = tail(own["ill"].content.decode("utf-8", "replace"), 1) if "ill" in own else ""
    return replace(
        generation,
        entries=() if damage else tuple(entries),
        damage=damage,
        was_unhealthy=ill,
        state_after=_state_after(own),
        previous=_previous(own, entries),
    )


def _previous(own: Mapping[str, ManagedFile], entries: Iterable[ManifestEntry]) -> str:
    """Return the generation that the saved record names; empty for none.

    The record is saved twice. Its copy among the files tells of a generation before this one also
    if the one that links them is lost.
    """
    saved = (entry.before for entry in entries if entry.path == STATE_FILE)
    record = own.get("state.json") or next(saved, None)
    return parse_state(record.content if record else None).generation or ""


def _state_after(own: Mapping[str, ManagedFile]) -> str:
    """Return the digest of fleet's record that the change has written; empty if unknown."""
    written = own["after"].content.decode("utf-8", "replace") if "after" in own else ""
    rows = (line.partition("\t") for line in written.splitlines())
    return next((digest for digest, _, path in rows if path == STATE_FILE), "")


def _manifest_lines(manifest: ManagedFile) -> list[str]:
    return manifest.content.decode("utf-8", "surrogateescape").split("\n")[:-1]


def _find_damaged_file(own: Mapping[str, ManagedFile]) -> str:
    """Return the first file that does not match the seal; older releases wrote no seal."""
    seal = own.get("seal")
    if seal is None:
        return "" if "manifest" in own else "manifest"
    sums, mark, digest = seal.content.rpartition(b"# ")
    if not mark or digest != hashlib.sha256(sums).hexdigest().encode() + b"\n":
        return "seal"
    lines = (line.partition("  ") for line in sums.decode("utf-8", "replace").splitlines())
    digests = {name: digest for digest, _, name in lines}
    for name in _SEALED:
        file = own.get(name)
        if digests.get(name) != (file.digest if file else None):
            return name
    return ""


def _parse_entry(
    line: str, base: str, own: Mapping[str, ManagedFile], older: Collection[str]
) -> ManifestEntry:
    """Read one line of a manifest: kind, index, mode, uid, gid, digest, path.

    Raise a ValueError for a line that cannot be read, a LookupError for a changed or missing file.
    """
    kind, index, mode, uid, gid, digest, path = line.split("\t", 6)
    if kind not in _KINDS or not path.startswith("/"):
        raise ValueError(line)
    if kind not in {"file", "symlink"}:
        copy = _COPIES.get(kind, "").format(path=path, index=index)
        saved = f"{base}{copy}" if copy else ""
        return ManifestEntry(
            path,
            None,
            directory=kind == "newdir",
            copied=SavedKind(kind) if copy else None,
            saved=saved,
        )
    if kind == "symlink":
        return ManifestEntry(
            path, _parse_symlink(mode, uid, gid, digest), saved=f"{base}links/{index}"
        )
    name = f"files/{index}"
    before = own.get(name) or (own.get("state.json") if path == STATE_FILE else None)
    if before is None and path in older:
        return ManifestEntry(path, None, saved=f"{base}{name}", unread=True)
    if before is None or before.digest != digest:
        raise LookupError(name)
    if _ATTRIBUTES.fullmatch(f"{mode} {uid} {gid}") is None:
        raise ValueError(line)
    before = replace(before, mode=int(mode, 8), uid=int(uid), gid=int(gid))
    return ManifestEntry(path, before, saved=f"{base}{name}")


def _parse_symlink(mode: str, uid: str, gid: str, digest: str) -> ManagedFile:
    """Return a saved symbolic link; its line has the target in place of a file's digest."""
    known = _ATTRIBUTES.fullmatch(f"{mode} {uid} {gid}") and digest.startswith("@")
    if not known or LINK_TARGET.fullmatch(digest[1:]) is None:
        raise ValueError(digest)
    return ManagedFile(b"", int(mode, 8), int(uid), int(gid), link=digest[1:])
