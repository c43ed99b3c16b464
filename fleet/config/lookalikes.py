"""Characters that look like those of YAML but are others, such as a full-width colon."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.errors import Problem

_OTHERS = {
    "\u00a0": (" ", "no-break space"),
    "\u3000": (" ", "full-width space"),
    "\u2013": ("-", "dash"),
    "\u2014": ("-", "dash"),
    "\u2018": ("'", "curly quote"),
    "\u2019": ("'", "curly quote"),
    "\u201c": ('"', "curly quote"),
    "\u201d": ('"', "curly quote"),
}
_LOOKALIKE = re.compile("[\uff01-\uff5e" + "".join(_OTHERS) + "]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_REACH = 3
"""The parser finds a mistake up to this many lines after the character that caused it."""


def has_lookalike(text: str) -> bool:
    """Return whether a text has a character that only looks like one of YAML."""
    return _LOOKALIKE.search(text) is not None


def with_lookalikes(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Replace problems by the character that caused them, if a character only looks right.

    The result names each character once.
    """
    lines = text.splitlines()
    named = (_named(problem, lines) for problem in problems)
    return list(dict.fromkeys(named))


def _named(problem: Problem, lines: list[str]) -> Problem:
    for number, column in _places(problem, lines):
        match = _LOOKALIKE.search(_COMMENT.sub("", lines[number - 1]), column - 1)
        if match is not None:
            message = _message(match[0])
            return replace(problem, line=number, column=match.start() + 1, message=message)
    return problem


def _places(problem: Problem, lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the lines and columns from which to look for the character."""
    if not 1 <= problem.line <= len(lines):
        return
    if "not valid YAML" not in problem.message:
        yield problem.line, problem.column
        return
    for number in range(problem.line, max(0, problem.line - _REACH), -1):
        yield number, 1


def _message(character: str) -> str:
    """Return what a character is, and what to write instead."""
    plain, name = _OTHERS.get(character, ("", ""))
    if not plain:
        plain = unicodedata.normalize("NFKC", character)
        name = unicodedata.name(character).lower().replace("fullwidth", "full-width")
    quoted = "a space" if plain == " " else '"\'"' if plain == "'" else f"'{plain}'"
    return f"a {name} (U+{ord(character):04X}): use {quoted}"
