"""The line of a mistake, as people see it: cut to a width, and without its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from fleet.errors import Excerpt, Problem

_WIDTH = 72
_LEAD = 24
"""Columns of a long line that are kept before the place."""
_WORD = r"[\"']?[\w.-]*(?:pass|passwd|password|token|secret|credential|auth|authorization)[\"']?"
_HEADER = r"[\"']?[\w.-]*headers?[\"']?"
_INLINE = re.compile(
    rf"(?P<head>{_WORD}\s*[:=]\s*)(?!env:|[\"']env:)"
    r"(?P<value>\"[^\"]*\"?|'[^']*'?|\[[^\]]*\]?|[^\s,{}\[\]]+[^,{}\[\]]*)",
    re.IGNORECASE,
)
_INLINE_HEADER = re.compile(
    rf"(?P<head>{_HEADER}\s*[:=]\s*)(?P<value>\{{[^}}]*\}}?|\[[^\]]*\]?)", re.IGNORECASE
)
_USERINFO = re.compile(r"(?P<head>://)(?P<value>[^/\s\"'@]*:[^\s\"'@]*)(?=@)")
_ABOVE = re.compile(rf"\s*(?:- )?(?:{_WORD}|{_HEADER})\s*:", re.IGNORECASE)
_KEYED = re.compile(r"(?P<head>\s*(?:- )?[\w\"'.-]+\s*:\s+)(?P<value>.*)")
_ARMOR = re.compile(r"^\s*[A-Za-z0-9+/=-]{40,}\s*$")
_TOKEN = re.compile(r"\"[^\"]*\"?|'[^']*'?|(?:\[[^\]]*\]|[^\s,{}\[\]\"'])+")


def with_excerpts(problems: Iterable[Problem], text: str) -> Iterator[Problem]:
    """Add to each problem the line that it is about; what is about no line stays as it is."""
    lines = text.splitlines()
    for problem in problems:
        yield replace(problem, excerpt=_excerpt(lines, problem))


def _excerpt(lines: Sequence[str], problem: Problem) -> Excerpt | None:
    if not 1 <= problem.line <= len(lines) or not lines[problem.line - 1].strip():
        return None
    line = lines[problem.line - 1].expandtabs(1).rstrip()
    column = min(problem.column, len(line) + 1)
    found = _TOKEN.match(line, column - 1)
    length = len(found[0].rstrip(":")) if found else 1
    return _cut(_without_secrets(lines, problem.line, line), column, max(1, length))


def _cut(line: str, column: int, length: int) -> Excerpt:
    """Keep what stands around the place of a long line."""
    start = max(0, column - 1 - _LEAD) if len(line) > _WIDTH and column > _WIDTH // 2 else 0
    head, kept = "\u2026" if start else "", line[start : start + _WIDTH]
    end = "\u2026" if start + _WIDTH < len(line) else ""
    place = column - start + len(head)
    return Excerpt(f"{head}{kept}{end}", place, max(1, min(length, len(head + kept) - place + 1)))


def _without_secrets(lines: Sequence[str], number: int, line: str) -> str:
    """Put stars where a secret may stand; nothing moves, so that the caret stays right."""
    above = next((each for each in _parents(lines, number) if _ABOVE.match(each)), None)
    if _ARMOR.match(line) or (above and above.rstrip().endswith(("|", ">", "-"))):
        return re.sub(r"\S", "*", line)
    keyed = (_KEYED,) if above else ()
    for pattern in (*keyed, _USERINFO, _INLINE_HEADER, _INLINE):
        line = pattern.sub(lambda found: found["head"] + "*" * len(found["value"]), line)
    if above and not _KEYED.match(line):  # an item of a list of secrets
        return re.sub(r"[^\s:-]", "*", line) if ":" not in line else line
    return line


def _parents(lines: Sequence[str], number: int) -> Iterator[str]:
    """Yield the lines that a line stands below, by their indentation."""
    depth = _depth(lines[number - 1])
    for above in reversed(lines[: number - 1]):
        if above.strip() and _depth(above) < depth:
            depth = _depth(above)
            yield above
            if depth == 0:
                return


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
