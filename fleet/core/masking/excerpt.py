"""Excerpts for problems in a file: the line, cut to a width and masked."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.core.masking import free_text, replaced, same_length, yaml_spans
from fleet.errors import Excerpt, Problem, columns

_WIDTH = 72


_MOST = 500
"""The most problems of one file that are shown with their lines."""


_LEAD = 24
"""Columns of a long line that are shown before the place."""


_ARMOR = re.compile(r"^\s*[A-Za-z0-9+/=-]{40,}\s*$")


_TOKEN = re.compile(r"\"[^\"]*\"?|'[^']*'?|(?:\[[^\]]*\]|[^\s,{}\[\]\"'])+")


def with_excerpts(
    problems: Iterable[Problem], text: str, *, yaml: bool = True
) -> Iterator[Problem]:
    """Add to each problem the line that it is about, if it is about one.

    In a file that is not YAML each line is read by itself.
    """
    listed = list(problems)
    spans = yaml_spans(text, own=True) if yaml and listed else []
    lines = replaced(text, spans, same_length).splitlines()

    @functools.cache
    def line(number: int) -> str:
        return _masked_line(lines[number - 1], yaml=yaml)

    for number, problem in enumerate(listed):
        has_excerpt = 1 <= problem.line <= len(lines) and number < _MOST
        yield (
            replace(problem, excerpt=_excerpt(line(problem.line), problem))
            if has_excerpt
            else problem
        )


def _masked_line(line: str, *, yaml: bool) -> str:
    """Return a line with its secrets masked, at the same length."""
    line = line.expandtabs(1).rstrip()
    if _ARMOR.match(line):
        return same_length(line)
    return line if yaml else free_text(line, same_length)


def _excerpt(line: str, problem: Problem) -> Excerpt | None:
    if not line:
        return None
    column = min(problem.column, len(line) + 1)
    match = _TOKEN.match(line[column - 1 : column - 1 + _WIDTH])
    length = len(match[0].rstrip(":")) if match else 1
    return _shorten(line, column, max(1, length))


def _shorten(line: str, column: int, length: int) -> Excerpt:
    """Return the part of a long line around the place."""
    far = columns(line) > _WIDTH and columns(line[:column]) > _WIDTH // 2
    start = max(0, column - 1 - _LEAD) if far else 0
    head, shown = "\u2026" if start else "", _fitting(line[start : start + _WIDTH])
    end = "\u2026" if start + len(shown) < len(line) else ""
    place = column - start + len(head)
    return Excerpt(f"{head}{shown}{end}", place, max(1, min(length, len(head + shown) - place + 1)))


def _fitting(text: str) -> str:
    """Return as much of a text as fits the width: characters of some scripts are wide."""
    while columns(text) > _WIDTH:
        text = text[:-1]
    return text
