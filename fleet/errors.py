"""Errors in the user's input, in texts that are safe to print on a terminal.

They end a command before any node is touched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

_HEAD, _TAIL = 160, 40
_LONG_WORD = re.compile(r"(?<!\S)\S{400,}")
"""A word that is longer than any path, URL or digest in a message."""
_UNPRINTABLE = re.compile(r"[^\n\t -~]")


def printable(text: str) -> str:
    """Replace control characters, so that text from a node cannot control the terminal."""
    return text if _UNPRINTABLE.search(text) is None else text.translate(_Replacements())


class _Replacements(dict[int, str]):
    """The replacement of each character, computed once per text."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        plain = character.isprintable() or character in "\n\t"
        escape = f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
        self[number] = shown = character if plain else escape
        return shown


def columns(text: str) -> int:
    """Return how many columns a text takes on a terminal: a wide character takes two."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def shortened(text: str) -> str:
    """Shorten very long words of a message, such as a key of 20 kB."""
    return _LONG_WORD.sub(lambda match: f"{match[0][:_HEAD]}\u2026{match[0][-_TAIL:]}", text)


class FleetError(Exception):
    """Bad usage or a bad file; ends the command with exit code 2."""


class NothingToDoError(FleetError):
    """Nothing is left to do; ends the command with exit code 0."""


class HeldError(FleetError):
    """Another fleet process holds the lock; ends the command with exit code 3."""


class JournalError(FleetError):
    """The journal cannot be written; work that it does not record must not be done."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The line of a mistake, shortened and masked; `column` counts from 1 within `text`."""

    text: str
    column: int
    length: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one file; `line` and `column` count from 1, and are 0 for the whole file."""

    file: str
    line: int
    column: int
    message: str
    severity: str = "error"
    excerpt: Excerpt | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Return the problem on one line, in the format of editors and compilers."""
        mark = "" if self.severity == "error" else f"{self.severity}: "
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return printable(shortened(f"{place}: {mark}{self.message}"))

    def shown(self) -> str:
        """Return the problem with its line, and a caret below the place."""
        if self.excerpt is None:
            return str(self)
        text, start = self.excerpt.text, self.excerpt.column - 1
        before, marked = printable(text[:start]), printable(text[start:][: self.excerpt.length])
        caret = f"{' ' * columns(before)}{'^' * max(columns(marked), 1)}"
        margin = " " * len(str(self.line))
        return f"{self}\n {margin} |\n {self.line} | {printable(text)}\n {margin} | {caret}"


class ConfigErrors(FleetError):  # noqa: N818 - it holds many
    """All mistakes of the files that were read; `warnings` holds warnings, which are not raised."""

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.problems = tuple(sorted(problems))
        self.warnings = tuple(sorted(warnings))
        super().__init__("\n".join(problem.shown() for problem in self.problems))
