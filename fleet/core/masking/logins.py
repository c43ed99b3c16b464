"""Logins inside URLs and addresses: `https://user:password@host` and `user:password@host`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from fleet.core.masking.spans import Span, match_end

_MOST = 4_000
"""The most places that are looked at; all text after them is hidden."""
_MOST_URLS = 50
_RUN = re.compile(r"[^\s\"'<>`]*+")
_AT = re.compile(r"@|%40", re.IGNORECASE)
_MARK = re.compile(r"(?::|%3a)(?:/|\\/|%2f){2}", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^/?#\\]*+")
_DIGEST = re.compile(r"(?:@|%40)sha(?:256|384|512)(?::|%3a)", re.IGNORECASE)
_HOST = re.compile(
    r"(?:\[[0-9a-f:.]*+\]|[\w.-]*+)(?:(?::|%3a)[0-9]*+)?(?:[/?#\\]|%2f|\Z)", re.IGNORECASE
)
_MASKED = re.compile(r"\*{3}(?:#[0-9a-f]{12})?@")
_ASSIGNED = re.compile(r"[^:@]*=")


def login_spans(text: str) -> Iterator[Span]:
    """Yield the spans of logins, in time linear in the text."""
    if "@" not in text and "%40" not in text:
        return
    backwards = text[::-1]
    at = 0
    for _ in range(_MOST):
        match = _AT.search(text, at)
        if match is None:
            return
        start = len(text) - match_end(_RUN, backwards, len(text) - match.start())
        start = max(start, at)
        at = match_end(_RUN, text, match.end())
        yield from _logins_of_word(text, start, at)
    yield at, len(text)


def _logins_of_word(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the logins of one word; a URL inside another URL's query counts as well."""
    marks = [*itertools.islice(_MARK.finditer(text, start, end), _MOST_URLS + 1)]
    if len(marks) > _MOST_URLS:
        yield start, end
        return
    if not marks:
        head = _ASSIGNED.match(text, start, end)
        yield from _login_without_scheme(text, head.end() if head else start, end)
        return
    yield from _login_without_scheme(text, start, marks[0].start())
    for number, mark in enumerate(marks):
        last = number + 1 == len(marks)
        yield from _login_of_url(text, mark.end(), end if last else marks[number + 1].start())


def _last_at(text: str, start: int, end: int) -> int | None:
    """Return the position of the last `@` that does not begin an image's digest."""
    for _ in range(_MOST_URLS):
        at = max(text.rfind("@", start, end), text.rfind("%40", start, end))
        if at < 0:
            return None
        if not _DIGEST.match(text, at):
            return at
        end = at
    return end


def _login_of_url(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the login of one URL; a password may hold an unescaped slash."""
    authority = _AUTHORITY.match(text, start, end)
    login_end = _last_at(text, start, authority.end() if authority else end)
    last_end = _last_at(text, start, end)
    if _MASKED.match(text, start, end):
        return
    if last_end is not None and not _HOST.match(text, start, end):
        yield start, last_end
    elif login_end is not None:
        yield start, login_end


def _login_without_scheme(text: str, start: int, end: int) -> Iterator[Span]:
    at = _last_at(text, start, end)
    if at is not None and ":" in text[start:at] and not _MASKED.match(text, start, at + 1):
        yield start, at
