"""Text that people will see: harmless on a terminal, without secrets, as unified diffs."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator

from fleet.core.model import Change, ManagedFile
from fleet.errors import printable

_WORDS = r"(?:password|auth|identitytoken|identity_token|registrytoken|authorization)"
_SECRET_KEY = re.compile(
    rf"^(?P<head>\s*[\"']?{_WORDS}[\"']?\s*[=:]\s*)(?P<value>[^\s{{].*?)(?P<end>\s*)$",
    re.IGNORECASE,
)
_INLINE_HEADER = re.compile(
    r"(?P<head>\bheaders?[\"']?\s*(?:\.\s*[^=]+)?=\s*)(?P<value>\{[^}]*\}|\[[^]]*\]|\S.*)"
)
_ANY_KEY = re.compile(r"^(?P<head>\s*[^=#\[]+=\s*)(?P<value>.*?)(?P<end>\s*)$")
_INLINE = re.compile(
    rf"(?P<head>\b{_WORDS}[\"']?\s*[=:]\s*)"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|\[[^]]*\]|[^\s,\"'{}\[][^,}\s]*)",
    re.IGNORECASE,
)


def tail(text: str, lines: int = 20) -> str:
    """Return the last lines of `text`, without what would steer a terminal."""
    return printable("\n".join(text.strip().splitlines()[-lines:]))


def fingerprint(value: str) -> str:
    """Stand in for a secret: says that it changed, never what it is."""
    return f"***#{hashlib.sha256(value.encode()).hexdigest()[:4]}"


def masked(text: str) -> str:
    """Replace the secrets of config.toml and hosts.toml with fingerprints."""
    return "\n".join(_masked_lines(text.split("\n")))


def _masked_lines(lines: list[str]) -> Iterator[str]:
    in_header = False
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("["):
            table = stripped.split("]")[0]
            in_header = table.endswith(("header", "headers")) or ".headers" in table
        pattern = _ANY_KEY if in_header and not stripped.startswith("[") else _SECRET_KEY
        found = pattern.match(line)
        if found:
            yield f"{found['head']}{fingerprint(found['value'])}{found['end']}"
        else:
            yield _INLINE.sub(_fingerprinted, _INLINE_HEADER.sub(_fingerprinted, line))


def _fingerprinted(match: re.Match[str]) -> str:
    return f"{match['head']}{fingerprint(match['value'])}"


def unified_diff(change: Change) -> str:
    """Return a unified diff of one path, masked and harmless; the empty side is /dev/null."""
    before = _text_of(change.path, change.before)
    after = _text_of(change.path, change.after)
    names = (
        "/dev/null" if change.before is None else change.path,
        "/dev/null" if change.after is None else change.path,
    )
    lines = difflib.unified_diff(before, after, *names, lineterm="")
    return "\n".join((*lines, *_about(change)))


def _about(change: Change) -> Iterator[str]:
    """Say what a diff of lines cannot: another mode, another secret."""
    old, new = change.before, change.after
    if old is not None and new is not None and old.mode != new.mode:
        yield f"mode {old.mode:o} -> {new.mode:o}"


def _text_of(path: str, kept: ManagedFile | None) -> list[str]:
    if kept is None:
        return []
    if kept.secret and path.endswith(".pem"):
        return [f"(a secret of {len(kept.content)} bytes, {fingerprint(kept.digest)})"]
    text = kept.content.decode("utf-8", "backslashreplace")
    return printable(masked(text).replace("\r\n", "\n")).splitlines()
