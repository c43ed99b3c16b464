"""Secrets of a TOML text, found by its structure, in time linear in the text.

The scanner is more tolerant than TOML parsers, since releases of containerd differ in what they
accept. If even the scanner cannot go on, the rest of the text is shown without its values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fleet.core.masking import comments
from fleet.core.masking.scalars import cost, key_spans, names_secret_option, scalar_spans
from fleet.core.masking.secret_keys import Visibility
from fleet.core.masking.spans import Span, match_end, merged
from fleet.core.masking.structure import structure_spans

_MOST_TOKENS = 30_000
_BLANK = re.compile(r"[ \t\r\n\ufeff]*+")
_SPACE = re.compile(r"[ \t]*+")
_KEY = re.compile(
    r"[ \t]*+(?:\"(?P<basic>[^\"\\\n]*+(?:\\.[^\"\\\n]*+)*+)\"|'(?P<literal>[^'\n]*+)'"
    r"|(?P<bare>[^\s=.\[\]{},\"'#]++))[ \t]*+"
)
_LINE_REST = re.compile(r"[ \t]*+(?P<comment>#[^\n]*+)?\r?(?:\n|\Z)")
_STRING = re.compile(
    r'"""(?P<long>[^"\\]*+(?:(?:\\.|"{1,2}(?!"))[^"\\]*+)*)"{3,5}'
    r"|'''(?P<plain>[^']*+(?:'{1,2}(?!')[^']*+)*)'{3,5}"
    r'|"(?P<basic>[^"\\\n]*+(?:\\.[^"\\\n]*+)*)"'
    r"|'(?P<literal>[^'\n]*+)'",
    re.DOTALL,
)
_BARE = re.compile(r"[+-]?(?:true|false|inf|nan|[0-9][\w.:+-]*+(?: [0-9:.Z+-]++)?)")
_INSIDE = re.compile(r"[\s,]*+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\s*\n\s*|(.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "e": "\x1b"}


class _UnreadableError(Exception):
    """The text is not TOML from here on, or has more parts than the scanner's limit."""


def toml_spans(text: str) -> list[Span]:
    """Return the spans of the secrets in a TOML text."""
    scanner = _Scanner(text)
    try:
        while scanner.statement():
            pass
    except _UnreadableError:
        scanner.spans += structure_spans(text, scanner.start, short=scanner.left > 0)
    return merged(scanner.spans)


@dataclass(frozen=True, slots=True)
class _Container:
    """An array or an inline table that is not closed yet."""

    bracket: str
    place: Visibility
    start: int


@dataclass(slots=True)
class _Scanner:
    """A scanner that reads one statement at a time; `start` is where the current one begins."""

    text: str
    at: int = 0
    start: int = 0
    left: int = _MOST_TOKENS
    table: Visibility = Visibility.PUBLIC
    comments_hidden: bool = False
    """Whether comments were hidden since the last statement; the comments below belong to them."""
    option: bool = False
    """Whether the word before was an option of a command line with a secret as its value."""
    spans: list[Span] = field(default_factory=list)

    def statement(self) -> bool:
        """Read one statement or block of comments; return False at the end of the text."""
        self._spend()
        self.at = match_end(_BLANK, self.text, self.at)
        self.start = self.at
        if self.at == len(self.text):
            return False
        first = self.text[self.at]
        if first == "#":
            self._comments()
            return True
        self.comments_hidden = False
        if first == "[":
            self._header()
        else:
            self._assignment()
        return True

    def _spend(self, count: int = 1) -> None:
        self.left -= count
        if self.left < 0:
            raise _UnreadableError

    def _comments(self) -> None:
        start = self.at
        self.at = match_end(comments.BLOCK, self.text, start)
        hidden = self.table.hidden or self.comments_hidden
        self.spans += comments.spans(self.text, start, self.at, hidden=hidden)
        self.comments_hidden = hidden or comments.names_secret(self.text, start, self.at)

    def _header(self) -> None:
        brackets = "[[" if self.text.startswith("[[", self.at) else "["
        self.at += len(brackets)
        place = self._keys(Visibility.PUBLIC)
        closing = "]" * len(brackets)
        if not self.text.startswith(closing, self.at):
            raise _UnreadableError
        self.at += len(closing)
        self.table = place
        self._line_rest(hidden=place.hidden)

    def _assignment(self) -> None:
        place = self._keys(self.table)
        self.option = False
        if not self.text.startswith("=", self.at):
            raise _UnreadableError
        self.at += 1
        self._value(place)
        self._line_rest(hidden=place.hidden)

    def _line_rest(self, *, hidden: bool) -> None:
        rest = _LINE_REST.match(self.text, self.at)
        if rest is None:
            raise _UnreadableError
        if rest["comment"]:
            self.spans += comments.spans(self.text, *rest.span("comment"), hidden=hidden)
        self.at = rest.end()

    def _keys(self, place: Visibility) -> Visibility:
        """Read a dotted key; return the kind of its value."""
        while True:
            self._spend()
            match = _KEY.match(self.text, self.at)
            if match is None:
                raise _UnreadableError
            raw, key = _key(match)
            if place is Visibility.SECRET:
                self.spans.append(match.span())
            else:
                self.spans += key_spans(raw, key, match.start())
                place = place.below(key)
            self.at = match.end()
            if not self.text.startswith(".", self.at):
                return place
            self.at += 1

    def _value(self, place: Visibility) -> None:
        """Read one value with all values inside it."""
        self.at = match_end(_SPACE, self.text, self.at)
        if self.text.startswith(("[", "{"), self.at):
            self._container(place)
        else:
            self._scalar(place)

    def _scalar(self, place: Visibility) -> None:
        self._spend()
        match = _STRING.match(self.text, self.at) or _BARE.match(self.text, self.at)
        if match is None:
            raise _UnreadableError
        self.at = match.end()
        after_option, self.option = self.option, False
        if place.hidden or after_option:
            self.spans.append(match.span())
        elif match.lastgroup is not None:
            value = _decoded(match)
            self._spend(cost(value))
            self.option = names_secret_option(value)
            self.spans += scalar_spans(match[0], value, match.start())

    def _container(self, place: Visibility) -> None:
        """Read an array or an inline table, without recursion: nesting may be deep."""
        outer: list[_Container] = []
        while True:
            self._spend()
            character = self.text[self.at : self.at + 1]
            if character and character in "[{":
                outer.append(_Container(character, place, self.at))
                self.at += 1
            elif character and character in "]}" and outer:
                closed = outer.pop()
                self.at += 1
                if closed.place is Visibility.SECRET:
                    self.spans.append((closed.start, self.at))
            else:
                self._scalar(place)
            if not outer:
                return
            place = self._next(outer[-1])

    def _next(self, inside: _Container) -> Visibility:
        """Go to the next item of a container; return the kind of its value."""
        self._skip_separators(inside.place)
        if inside.bracket == "[" or self.text.startswith("}", self.at):
            return inside.place
        below = self._keys(inside.place)
        if not self.text.startswith("=", self.at):
            raise _UnreadableError
        self.at = match_end(_SPACE, self.text, self.at + 1)
        return below

    def _skip_separators(self, place: Visibility) -> None:
        """Skip commas, line ends and comments."""
        self.at = match_end(_INSIDE, self.text, self.at)
        while self.text.startswith("#", self.at):
            self._spend()
            start, self.at = self.at, match_end(comments.BLOCK, self.text, self.at)
            self.spans += comments.spans(self.text, start, self.at, hidden=place.hidden)
            self.at = match_end(_INSIDE, self.text, self.at)


def _key(match: re.Match[str]) -> tuple[str, str]:
    """Return a key as it is written, and its decoded form."""
    raw = match[0].strip(" \t")
    return raw, _decoded(match)


def _decoded(match: re.Match[str]) -> str:
    """Return the decoded form of a matched string or key."""
    kind = match.lastgroup or ""
    text = match[kind]
    escaped = kind in {"basic", "long"} and "\\" in text
    return _ESCAPE.sub(_unescaped, text) if escaped else text


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else ""
    return _SHORT.get(match[3], match[3]) if match[3] else ""
