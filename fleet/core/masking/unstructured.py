"""Secrets in text without a structure: log lines, error messages, comments, command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleet.core.masking.logins import login_spans
from fleet.core.masking.spans import Mark, Span, lowered, merged, replaced, stars

_MOST = 4_000
"""So many places of one kind are looked at; what follows them is hidden whole."""
# The patterns for words are matched with text in lower case: a set of first letters is quick.
_STRONG = r"passw(?:or)?d|passphrase|secret|cookie|api_?-?key|access_?-?key|private_?-?key"
_WEAK = (
    r"token|credential|auth|header|signature"
    r"|pass(?<![a-z]pass)(?![a-z])|pwd(?<![a-z]pwd)(?![a-z])"
)
_ASSIGNED = re.compile(
    rf"(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK}))[\w-]*+(?P<quote>\\*+[\"'`]?)"
    r"(?P<space>[ \t]*+)(?P<sign>[=:])(?P<gap>[ \t]*+)"
)
_CREDENTIAL = re.compile(
    r"(?:basic|bearer|negotiate|digest)[ \t:+]++(?P<value>[^\s\"'\\,;\])}]{6,}+)"
)
_PROSE = re.compile(r"(?:auth\w*+|credentials?+|tokens?+|realm|error|service|scope)\b")
_OPTION = re.compile(
    r"(?:--(?:user|creds?|pass\w*+|token|auth)|-u(?<![\w-]-u))(?:=|[ \t]++)(?P<value>\S++)"
)
_ARMOR = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_WEB_TOKEN = re.compile(r"eyJ[\w-]{8,}+[\w.-]*+")
_QUOTED_BY_PARSER = re.compile(
    r"(?:cannot unmarshal [^`\n]{0,80}`(?P<value>[^\n]*+)"
    r"|invalid (?:port|URL escape|userinfo|host name|character)[^\"\n]{0,40}\"(?P<part>[^\n]*+))"
)
_LINE_START = re.compile(r"[\s#>|*~0-9-]*[\"'`\\]*\Z")
_NEAR = 40


def free_text(text: str, mark: Mark = stars) -> str:
    """Return text without the secrets that their form reveals."""
    return replaced(text, free_text_spans(text), mark)


def free_text_spans(text: str) -> list[Span]:
    """Return the spans of secrets, in time linear in the text."""
    spans = [*login_spans(text), *_armored(text), *_by_parsers(text)]
    lower = lowered(text)
    if "=" in text or ":" in text:
        spans += _assigned(lower)
    if "--" in text or "-u" in text:
        spans += _found(_OPTION, lower)
    if "eyJ" in text:
        spans += _found(_WEB_TOKEN, text)
    return merged((*spans, *_found(_CREDENTIAL, lower)))


def _found(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    for number, found in enumerate(pattern.finditer(text)):
        if number == _MOST:
            yield found.start(), len(text)
            return
        span = found.span("value" if "value" in pattern.groupindex else 0)
        if not (pattern is _CREDENTIAL and _PROSE.match(text, span[0])):
            yield span


def _armored(text: str) -> Iterator[Span]:
    """Yield the spans of private keys; one without an end reaches to the end of the text."""
    at = 0
    while found := _ARMOR.search(text, at):
        end = text.find("-----END", found.end())
        at = len(text) if end < 0 else end
        yield found.end(), at


def _by_parsers(text: str) -> Iterator[Span]:
    for found in _QUOTED_BY_PARSER.finditer(text):
        yield found.span("value") if found["value"] is not None else found.span("part")


def _assigned(text: str) -> Iterator[Span]:
    """Yield the values of `word = value` and `word: value` where the word names a secret."""
    at = 0
    for _ in range(_MOST):
        found = _ASSIGNED.search(text, at)
        if found is None:
            return
        at = found.end()
        address = found["sign"] == ":" and text.startswith("//", at)
        if address or found[0].startswith("authenticate"):  # WWW-Authenticate: no secret
            continue
        if found["sign"] == "=" or _names_setting(text, found):
            end = _value_end(text, found)
            yield found.end(), end
            at = max(at, end)
    yield at, len(text)


def _names_setting(text: str, found: re.Match[str]) -> bool:
    """Return False for prose with a colon, such as `anonymous token: unexpected status`."""
    if found["strong"] or found["quote"] or text.startswith("[", found.end()):
        return True
    start = found.start()
    floor = max(0, start - _NEAR)
    begin = text.rfind("\n", floor, start) + 1
    if begin == 0 and floor > 0:
        return False
    head = text[max(begin, floor) : start]
    return _LINE_START.match(head) is not None or head.rstrip().endswith(("-", "{", ","))


def _value_end(text: str, found: re.Match[str]) -> int:
    """Return where a value ends; the end of its line if in doubt."""
    start = found.end()
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    first = text[start : start + 1]
    if first in {'"', "'"}:
        close = text.find(first, start + 1, line_end)
        plain = close > 0 and "\\" not in text[start:close]
        return close + 1 if plain else line_end
    spaced = found["space"] or found["gap"]
    if found["sign"] == "=" and not spaced and first not in {"[", "{", "\\"}:
        return _word_end(text, start, line_end)
    return line_end


_WORD_END = re.compile(r"[^\s\"']*+")


def _word_end(text: str, start: int, end: int) -> int:
    word = _WORD_END.match(text, start, end)
    return word.end() if word else end
