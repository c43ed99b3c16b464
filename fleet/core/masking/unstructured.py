"""Secrets in text without a structure: log lines, error messages, comments, command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleet.core.masking.logins import login_spans
from fleet.core.masking.spans import Mark, Span, lowered, match_end, merged, replaced, stars

_MOST = 4_000
"""The most places of one kind that are looked at; all text after them is hidden."""
# The patterns for words are matched against text in lower case, because a small set of first
# letters is fast.
_STRONG = r"passw(?:or)?d|passphrase|secret|cookie|api_?-?key|access_?-?key|private_?-?key"
_WEAK = (
    r"token|credential|creds|auth|header|signature"
    r"|pass(?<![a-z]pass)(?![a-z])|pwd(?<![a-z]pwd)(?![a-z])|pw(?<![a-z]pw)(?![a-z])"
    r"|pat(?<![a-z]pat)(?![a-z])"
)
_ASSIGNED = re.compile(
    rf"(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK}))[\w-]*+(?P<quote>\\*+[\"'`]?)"
    r"(?P<space>[ \t]*+)(?P<sign>[=:])(?P<gap>[ \t]*+)"
)
_CREDENTIAL = re.compile(
    r"(?:basic|bearer|negotiate|digest)[ \t:+]++(?P<value>[^\s\"'\\,;\])}]{6,}+)"
)
_PROSE = re.compile(r"(?:auth\w*+|credentials?+|tokens?+|realm|error|service|scope)\b")
_NAMED = r"(?<![\w-])--(?:[\w-]{0,40}?-)?"
_OPTION = re.compile(
    rf"{_NAMED}(?:creds?|pass\w*+|token|auth)(?:=|[ \t]++)(?P<value>\S++)"
    rf"|(?:{_NAMED}user(?:=|[ \t]++)|(?<![\w-])-u[ \t=]*+)(?P<login>[^\s:]{{1,200}}:\S++)"
    r"|(?:sshpass|login)\b[^\n]{0,80}?[ \t]-p[ \t=]*+(?P<short>\S++)"
)
"""Options of command lines; a user without a password is not secret (`journalctl -u UNIT`)."""
_ARMOR = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_ARMOR_END = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY")
_TOKEN = re.compile(
    r"eyJ[\w-]{8,}+[\w.-]*+|(?:gh[a-z]|github_pat|glpat|dckr_pat)[_-][\w-]{10,}+"
    r"|LS0tLS1CRUdJT[\w+/=]*+"
)
"""Web tokens, tokens of code hosts, and armored keys in base64."""
_QUERY = re.compile(
    r"[?&](?:[\w.-]*?(?:key|sig|pw|pwd|pass|jwt|code|sas)|[\w.-]*+%[^=&\s\"']*+)="
    r"(?P<value>[^&\s\"']++)"
)
_HEADER_FIELD = re.compile(
    r"(?:request|response)\.header\.[\w.-]++=(?P<value>\"(?:[^\"\\\n]|\\.)*+\"?|\S*+)"
)
_QUOTED_BY_PARSER = re.compile(
    r"cannot unmarshal [^`\n]{0,80}`(?P<value>[^\n]*+)"
    r"|invalid (?:port|URL escape|userinfo|host name|character)[^\"\n]{0,40}\"(?P<part>[^\n]*+)"
    r"|(?:but found|unexpected token|private key|pass(?:word|phrase)) [\"'`](?!/)(?P<found>[^\n]*+)"
    r"|(?<![^\n])[ \t]*+[0-9]{1,6}\| (?P<line>[^\n]*+)"
    r"|[\"'`][a-z]{2,10}://(?P<url>[^\"'`\n]{1,500})@"
)
_PATTERNS = (
    (_OPTION, ("-u", "-p", "--")),
    (_TOKEN, ("eyj", "gh", "pat", "ls0tls1c")),
    (_QUERY, ("?", "&")),
    (_HEADER_FIELD, (".header.",)),
)
"""Patterns, each with strings of which a text in lower case must contain one to match."""
_OPENS_BLOCK = re.compile(r"(?:[|>][-+0-9]*|\\?)[ \t\r]*\Z")
_BLOCK = re.compile(r"(?:\n[ \t]++[^\n]*+|\n(?=\n))*")
_LINE_START = re.compile(r"[\s#>|*~0-9-]*[\"'`\\]*\Z")
_NEAR = 40


def free_text(text: str, mark: Mark = stars) -> str:
    """Return text without the secrets that their form reveals."""
    return replaced(text, free_text_spans(text), mark)


def free_text_spans(text: str) -> list[Span]:
    """Return the spans of secrets, in time linear in the text."""
    spans = [*login_spans(text), *_key_blocks(text)]
    lower = lowered(text)
    if "=" in text or ":" in text:
        spans += _assigned_values(lower)
    for pattern, hints in _PATTERNS:
        if any(hint in lower for hint in hints):
            spans += _pattern_spans(pattern, text if pattern is _TOKEN else lower)
    return merged(
        (*spans, *_pattern_spans(_CREDENTIAL, lower), *_pattern_spans(_QUOTED_BY_PARSER, text))
    )


def _pattern_spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    for number, match in enumerate(pattern.finditer(text)):
        if number == _MOST:
            yield match.start(), len(text)
            return
        span = match.span(match.lastgroup or 0)
        if not (pattern is _CREDENTIAL and _PROSE.match(text, span[0])):
            yield span


def _key_blocks(text: str) -> Iterator[Span]:
    """Yield the spans of private keys; a key that is cut off extends to that end of the text."""
    at = 0
    if (cut := _ARMOR_END.search(text)) and "-----BEGIN" not in text[: cut.start()]:
        yield 0, cut.start()
    while match := _ARMOR.search(text, at):
        end = text.find("-----END", match.end())
        at = len(text) if end < 0 else end
        yield match.end(), at


def _assigned_values(text: str) -> Iterator[Span]:
    """Yield the values of `word = value` and `word: value` where the word names a secret."""
    at = 0
    for _ in range(_MOST):
        match = _ASSIGNED.search(text, at)
        if match is None:
            return
        at = match.end()
        address = match["sign"] == ":" and text.startswith("//", at)
        if address or match[0].startswith("authenticate"):  # WWW-Authenticate is not a secret
            continue
        if match["sign"] == "=" or _names_setting(text, match):
            end = _value_end(text, match)
            yield match.end(), end
            at = max(at, end)
    yield at, len(text)


def _names_setting(text: str, match: re.Match[str]) -> bool:
    """Return False for prose with a colon, such as `anonymous token: unexpected status`."""
    if match["strong"] or match["quote"] or text.startswith("[", match.end()):
        return True
    start = match.start()
    floor = max(0, start - _NEAR)
    begin = text.rfind("\n", floor, start) + 1
    if begin == 0 and floor > 0:
        return False
    head = text[max(begin, floor) : start]
    return _LINE_START.match(head) is not None or head.rstrip().endswith(("-", "{", ","))


def _value_end(text: str, match: re.Match[str]) -> int:
    """Return where a value ends; the end of its line, or of the text, if in doubt."""
    start = match.end()
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    first = text[start : start + 1]
    long = text[start : start + 3]
    if long in {'"""', "'''"}:
        close = text.find(long, start + 3)
        return close + 3 if close > 0 else len(text)
    if first in {'"', "'"}:
        close = text.find(first, start + 1, line_end)
        plain = close > 0 and "\\" not in text[start:close]
        return close + 1 if plain else line_end
    if _OPENS_BLOCK.match(text, start, line_end):
        return match_end(_BLOCK, text, line_end)
    spaced = match["space"] or match["gap"]
    if match["sign"] == "=" and not spaced and first not in {"[", "{", "\\"}:
        return _word_end(text, start, line_end)
    return line_end


_WORD_END = re.compile(r"[^\s\"']*+")


def _word_end(text: str, start: int, end: int) -> int:
    word = _WORD_END.match(text, start, end)
    return word.end() if word else end
