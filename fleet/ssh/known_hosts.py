"""The known_hosts files: each is read once a run, and a host's keys are looked up in an index.

Keys are compared as bytes: making key objects of 5,000 lines, as Paramiko does at every
connection, costs seconds of CPU.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.ssh.cache import SharedCache

REVOKED = "@revoked"
AUTHORITY = "@cert-authority"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One key of known_hosts: its place (file:line), its marker if any, kind and bytes."""

    place: str
    marker: str
    kind: str
    blob: bytes


class KnownFile:
    """One known_hosts file, indexed by plain names; hashed ones and patterns are lists."""

    def __init__(self, path: str, text: str) -> None:
        self._plain: dict[str, list[KnownKey]] = {}
        self._hashed: list[tuple[bytes, bytes, KnownKey]] = []
        self._patterns: list[tuple[tuple[str, ...], KnownKey]] = []
        self._keys_by_name: dict[str, tuple[KnownKey, ...]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if (parsed := _parse_line(f"{path}:{number}", line)) is not None:
                self._add(*parsed)

    def _add(self, names: tuple[str, ...], known: KnownKey) -> None:
        if names[0].startswith("|1|"):
            self._hashed += [(*_parse_hash(name), known) for name in names]
        elif any(mark in name for name in names for mark in "*?!"):
            self._patterns.append((names, known))
        else:
            for name in names:
                self._plain.setdefault(name.lower(), []).append(known)

    def keys(self, name: str) -> tuple[KnownKey, ...]:
        """Return the keys of a host: `host`, or `[host]:port` if the port is not 22."""
        if name not in self._keys_by_name:
            self._keys_by_name[name] = (
                *self._plain.get(name, ()),
                *(known for salt, code, known in self._hashed if _hash_matches(name, salt, code)),
                *(known for patterns, known in self._patterns if _patterns_match(name, patterns)),
            )
        return self._keys_by_name[name]


def _parse_line(place: str, line: str) -> tuple[tuple[str, ...], KnownKey] | None:
    """Read one line; return None for one that cannot be read, which OpenSSH ignores too."""
    words = line.split()
    mark = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#"):
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    return tuple(words[0].split(",")), KnownKey(place, mark, words[1], blob)


def _parse_hash(name: str) -> tuple[bytes, bytes]:
    """Read `|1|salt|code`, as HashKnownHosts writes it."""
    try:
        salt, code = (base64.b64decode(part) for part in name.split("|")[2:4])
    except (binascii.Error, ValueError):
        return b"", b""
    return salt, code


def _hash_matches(name: str, salt: bytes, code: bytes) -> bool:
    return hmac.digest(salt, name.encode(), hashlib.sha1) == code


def _patterns_match(name: str, patterns: Sequence[str]) -> bool:
    """Match as OpenSSH does: one pattern must fit, and none that begins with a `!`."""
    hits = [
        pattern for pattern in patterns if _pattern_matches(name, pattern.removeprefix("!").lower())
    ]
    return bool(hits) and not any(pattern.startswith("!") for pattern in hits)


def _pattern_matches(name: str, pattern: str) -> bool:
    # A bracket is a character here: [host]:2222 names a port.
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _read_file(stamp: tuple[str, int, int]) -> KnownFile:
    return KnownFile(stamp[0], Path(stamp[0]).read_text(errors="replace"))


_FILES: SharedCache[tuple[str, int, int], KnownFile] = SharedCache(_read_file)


def known_keys(files: Sequence[str], names: Sequence[str]) -> Iterator[KnownKey]:
    """Yield every key that the files hold under one of the names, in the order of the files."""
    for path in files:
        try:
            status = Path(path).stat()
            file = _FILES.get((path, status.st_mtime_ns, status.st_size))
        except OSError:
            continue  # a file that does not exist has no keys
        for name in names:
            yield from file.keys(name)


@dataclass(frozen=True, slots=True)
class ShownKey:
    """The key that a host shows, with its fingerprint as ssh-keygen prints it."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Return SHA256:..."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"


def key_status(shown: ShownKey, known: Sequence[KnownKey]) -> tuple[str, str]:
    """Return the status of a key: known, unknown, changed, revoked or certified.

    The second value is the place in known_hosts that decides. `certified` means that a certificate
    authority alone vouches for the host, which Paramiko cannot check. A key of another kind than
    those that are known is `unknown`: OpenSSH refuses it as well.
    """
    plain = [key for key in known if not key.marker]
    for key in known:
        if key.marker == REVOKED and key.blob == shown.blob:
            return "revoked", key.place
    for key in plain:
        if key.blob == shown.blob:
            return "known", key.place
    for key in plain:
        if key.kind == shown.kind:
            return "changed", key.place
    for key in known:
        if key.marker == AUTHORITY and not plain:
            return "certified", key.place
    return "unknown", plain[0].place if plain else ""


def refuse_unless_known(
    shown: ShownKey, names: Sequence[str], user_files: Sequence[str], global_files: Sequence[str]
) -> None:
    """Raise a NodeError with the reason and a remedy unless the key is known."""
    state, place = key_status(shown, tuple(known_keys((*user_files, *global_files), names)))
    if state == "known":
        return
    message, remedy = _refusal(state, place, shown, names[0], user_files)
    evidence = f"{shown.kind} {shown.fingerprint}" + (f", {place}" if place else "")
    raise NodeError(FailureKind.HOST_KEY, Step.CONNECT, message, remedy, evidence)


def _refusal(
    state: str, place: str, shown: ShownKey, name: str, user_files: Sequence[str]
) -> tuple[str, str]:
    """Return the message and the remedy for a host key that is not known."""
    key = f"{shown.kind} key {shown.fingerprint}"
    match state:
        case "changed":
            file = place.rpartition(":")[0]
            return (
                f"the host key CHANGED: the node shows {key}, but {place} has another",
                "find the reason on the node's console, then remove the old key:"
                f" `ssh-keygen -R {shlex.quote(name)} -f {shlex.quote(file)}`",
            )
        case "revoked":
            return (
                f"the {key} is revoked ({place})",
                "find out why before you connect to this node",
            )
        case "certified":
            return (
                f"{place} trusts the node by @cert-authority, but fleet cannot check host"
                " certificates",
                "add its own key with `fleet hostkeys`",
            )
        case _:
            note = "; known_hosts has a key of another kind" if place else ""
            target = user_files[0] if user_files else "~/.ssh/known_hosts"
            return (
                f"unknown host key{note}",
                f"compare it on the node's console, then add it to {target} with `fleet hostkeys`",
            )
