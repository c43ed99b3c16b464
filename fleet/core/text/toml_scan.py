"""Statements of a TOML text with their places, so that an edit leaves all others as they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[str, ...]


_SPACE = re.compile(r"[ \t]*")


_COMMENT = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")


_KEY = re.compile(r"[ \t]*(?:(?P<bare>[A-Za-z0-9_-]+)|(?P<quoted>\"(?:[^\"\\]|\\.)*\"|'[^']*'))")


_BARE = re.compile(r"[A-Za-z0-9_-]+")


_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One header or one assignment: its full path, and its place in the text.

    `start` is where its line begins and `end` where the next line begins. The value is between
    `value` and `value_end`, which are equal for a header. `array` marks [[array.of.tables]], whose
    members share one path.
    """

    path: Path
    start: int
    end: int
    value: int
    value_end: int
    header: bool
    array: bool = False

    def below(self, path: Path) -> bool:
        """Return whether this statement sets `path` or something inside it."""
        return self.path[: len(path)] == path


def statements(text: str) -> Iterator[Statement]:
    """Yield every statement in the order of the text."""
    table: Path = ()
    at = 0
    while at < len(text):
        blank = _COMMENT.match(text, at)
        if blank:
            at = blank.end()
            continue
        start = at
        at = _skip_space(text, at)
        if text[at] == "[":
            array = text.startswith("[[", at)
            table, at = _keys(text, at + 1 + array)
            at = _line_end(text, text.index("]", at) + 1 + array)
            yield Statement(table, start, at, at, at, header=True, array=array)
            continue
        keys, at = _keys(text, at)
        value = _skip_space(text, text.index("=", at) + 1)
        end = _value_end(text, value)
        at = _line_end(text, end)
        yield Statement((*table, *keys), start, at, value, end, header=False)


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _line_end(text: str, at: int) -> int:
    """Return where the next line begins."""
    newline = text.find("\n", at)
    return len(text) if newline < 0 else newline + 1


def _keys(text: str, at: int) -> tuple[Path, int]:
    """Read a dotted key; return its parts and where it ends."""
    parts = []
    while match := _KEY.match(text, at):
        parts.append(match["bare"] or _unquoted(match["quoted"]))
        at = _skip_space(text, match.end())
        if text[at : at + 1] != ".":
            break
        at += 1
    return tuple(parts), at


def _unquoted(text: str) -> str:
    return str(tomllib.loads(f"k = {text}")["k"])


def _value_end(text: str, at: int) -> int:
    """Return where a value ends: at a comment or line end outside strings and brackets."""
    depth = 0
    end = at
    while at < len(text):
        character = text[at]
        if character in "\"'":
            at = end = _string_end(text, at)
            continue
        if character == "#":
            if depth == 0:
                return end
            at = text.find("\n", at)
            continue
        if character == "\n" and depth == 0:
            return end
        depth += (character in "[{") - (character in "]}")
        at += 1
        if character not in " \t\r\n":
            end = at
    return end


def _string_end(text: str, at: int) -> int:
    for pattern in _STRINGS:
        match = pattern.match(text, at)
        if match:
            return match.end()
    return at + 1


def newline_of(text: str) -> str:
    """Return the line ending that a text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def dotted(path: Path) -> str:
    """Write a table's name as in its header."""
    return ".".join(key if _BARE.fullmatch(key) else quoted(key) for key in path)


def split(name: str) -> Path:
    """Split a name that `dotted` wrote into its keys."""
    return _keys(name, 0)[0]


def toml_value(value: object, mark: str = '"') -> str:
    """Write a boolean, a string or nested lists of them as TOML; `mark` is the wanted quote."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(toml_value(item, mark) for item in value)}]"
    return quoted(str(value), mark)


def quoted(text: str, mark: str = '"') -> str:
    """Write a TOML string on one line."""
    if mark == "'" and text.isprintable() and "'" not in text:
        return f"'{text}'"
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escaped(character) for character in plain) + '"'


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 32 or ord(character) == 127 else character
