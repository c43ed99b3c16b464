"""Secrets of a YAML text, found by its structure; JSON is read the same way.

After the first syntax error the rest of a text is shown without its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fleet.core.masking import comments
from fleet.core.masking.scalars import cost, key_spans, names_secret_option, scalar_spans
from fleet.core.masking.secret_keys import Visibility
from fleet.core.masking.spans import Span, merged
from fleet.core.masking.structure import structure_spans
from fleet.core.text.yaml_pieces import Piece, yaml_pieces

_MOST_PIECES = 25_000
_DEEPEST = 40
_REFERENCE = re.compile(r"[\"']?env:[A-Za-z_][A-Za-z0-9_]*[\"']?")
_COMMENT = re.compile(rf"(?<!\S){comments.BLOCK.pattern}")


def yaml_spans(text: str, *, own: bool = False) -> list[Span]:
    """Return the spans of the secrets in a YAML text.

    In the user's `own` files `env:NAME` names a variable and is shown; these files may be large.
    """
    scanner = _Scanner(text, own)
    budget = _MOST_PIECES * (40 if own else 1)
    for piece in yaml_pieces(text):
        budget -= cost(piece.value)
        if piece.kind == "error" or budget < 0 or len(scanner.open) > _DEEPEST:
            break
        scanner.take(piece)
    else:
        scanner.gap(len(text))
        return merged((*scanner.spans, *scanner.aliased()))
    rest = structure_spans(text, scanner.line_start(), short=budget >= 0)
    return merged((*scanner.spans, *scanner.aliased(), *rest))


@dataclass(slots=True)
class _OpenCollection:
    """A collection that is being read; in a mapping, `key` is the kind of the next value."""

    place: Visibility
    mapping: bool
    anchors: frozenset[str]
    key: Visibility | None = None


@dataclass(slots=True)
class _Scanner:
    """A scanner that reads a YAML text piece by piece; it has read everything before `at`."""

    text: str
    references: bool
    at: int = 0
    hidden_to: int = -1
    """The end of the last hidden value; a comment behind it is hidden as well."""
    comments_hidden: bool = False
    option: bool = False
    """Whether the word before was an option of a command line with a secret as its value."""
    open: list[_OpenCollection] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    anchored: list[tuple[frozenset[str], Span]] = field(default_factory=list)
    aliases: list[tuple[frozenset[str], str, bool]] = field(default_factory=list)

    def take(self, piece: Piece) -> None:
        """Read one piece."""
        self.gap(piece.start)
        match piece.kind:
            case "mapping" | "sequence":
                place = self._value_place()
                anchors = self._anchors(piece)
                self.open.append(_OpenCollection(place, piece.kind == "mapping", anchors))
            case "end":
                self.open.pop()
            case "alias":
                self._alias(piece)
            case "scalar":
                self._scalar(piece)
            case _:
                self.open.clear()
        self.at = max(self.at, piece.end)

    def gap(self, end: int) -> None:
        """Read the comments between two pieces."""
        place = self.open[-1].place if self.open else Visibility.PUBLIC
        for match in _COMMENT.finditer(self.text, self.at, max(self.at, end)):
            start, stop = match.span()
            follows_hidden = self.at == self.hidden_to and "\n" not in self.text[self.at : start]
            hidden = place.hidden or self.comments_hidden or follows_hidden
            self.spans += comments.spans(self.text, start, stop, hidden=hidden)
            self.comments_hidden = hidden or comments.names_secret(self.text, start, stop)

    def line_start(self) -> int:
        """Return the start of the line at which reading ended."""
        return self.text.rfind("\n", 0, self.at) + 1

    def aliased(self) -> Iterator[Span]:
        """Yield the spans that are secret because a secret refers to them by an alias."""
        secret: set[str] = set()
        grown = True
        while grown:
            names = {
                name
                for anchors, name, hidden in self.aliases
                if hidden or not secret.isdisjoint(anchors)
            }
            grown = names > secret
            secret |= names
        for anchors, span in self.anchored:
            if not secret.isdisjoint(anchors):
                yield span

    def _anchors(self, piece: Piece | None) -> frozenset[str]:
        around = self.open[-1].anchors if self.open else frozenset()
        return around | {piece.anchor} if piece and piece.anchor else around

    def _value_place(self) -> Visibility:
        """Return the kind of the next value, and clear the key that it belongs to."""
        if not self.open:
            return Visibility.PUBLIC
        inside = self.open[-1]
        if not inside.mapping:
            return inside.place
        place, inside.key = inside.key, None
        if place is None:  # a list, a mapping or an alias as key has no name
            place = inside.key = Visibility.SECRET
        return place

    def _alias(self, piece: Piece) -> None:
        hidden = self._value_place().hidden
        self.aliases.append((self._anchors(None), piece.anchor, hidden))
        if hidden:  # without that anchor it may be a password that begins with a star
            self.spans.append((piece.start, piece.end))

    def _scalar(self, piece: Piece) -> None:
        self.comments_hidden = False
        after_option, self.option = self.option, False
        span = (piece.start, piece.end)
        raw = self.text[piece.start : piece.end]
        if self.open and self.open[-1].mapping and self.open[-1].key is None:
            place = self.open[-1].place
            self.open[-1].key = place.below(piece.value)
            shown = key_spans(raw, piece.value, piece.start)
            self.spans += [span] if place is Visibility.SECRET else shown
        elif self._value_place().hidden or after_option:
            if not (self.references and _REFERENCE.fullmatch(raw)):
                self.spans.append(span)
                self.hidden_to = piece.end
        else:
            self.option = names_secret_option(piece.value)
            self.spans += scalar_spans(raw, piece.value, piece.start)
        anchors = self._anchors(piece)
        if anchors:
            self.anchored.append((anchors, span))
