"""Spans of a text that must not be shown, and their replacement."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Span = tuple[int, int]
"""The start and the end of a hidden part of a text."""
Mark = Callable[[str], str]
"""A function that returns the replacement of a hidden text."""
_WORD = re.compile(r"\S+")
_LOWER = {number: number + 32 for number in range(65, 91)}


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Marks that differ if the hidden texts differ; without the key they reveal nothing else."""

    key: bytes = field(repr=False)

    def __call__(self, hidden: str) -> str:
        """Return the mark of a hidden text."""
        data = hidden.encode("utf-8", "surrogatepass")
        return f"***#{hmac.digest(self.key, data, hashlib.sha256).hex()[:12]}"


def lowered(text: str) -> str:
    """Return the text in lower case, with every character at its old position."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.translate(_LOWER)


def match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the end of the pattern's match at a place, or the place itself."""
    match = pattern.match(text, at)
    return match.end() if match else at


def stars(hidden: str) -> str:
    """Return the mark that is the same for every hidden text."""
    return "***" if hidden else ""


def same_length(hidden: str) -> str:
    """Return as many stars as the text has characters; spaces and line ends stay."""
    return _WORD.sub(lambda match: "*" * len(match[0]), hidden)


def replaced(text: str, spans: Iterable[Span], mark: Mark) -> str:
    """Return the text with every span replaced by its mark; overlapping spans become one."""
    parts: list[str] = []
    at = 0
    for start, end in merged(spans):
        parts += (text[at:start], mark(text[start:end]))
        at = end
    parts.append(text[at:])
    return "".join(parts)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order; join overlapping ones and leave out empty ones."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result
