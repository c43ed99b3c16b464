"""The pieces of a YAML text with their offsets, for changes of the text itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a YAML text with its offsets: a scalar, an alias, or an edge of a collection.

    `kind` is scalar, alias, mapping, sequence, end (of a collection), other or error.
    """

    kind: str
    start: int
    end: int
    value: str = ""
    anchor: str = ""


def yaml_pieces(text: str) -> Iterator[Piece]:
    """Yield the pieces of a YAML text in order; the last one is an error if it is not YAML."""
    at = 0
    bom = text.startswith("\ufeff")
    try:
        for event in yaml.parse(text[bom:], Loader=_Base):
            piece = _piece(text, event, int(bom))
            at = piece.end
            yield piece
    except (yaml.YAMLError, ValueError):
        yield Piece("error", at, len(text))


def _piece(text: str, event: Any, shift: int) -> Piece:
    start, end = event.start_mark.index + shift, event.end_mark.index + shift
    anchor = getattr(event, "anchor", None) or ""
    if isinstance(event, yaml.ScalarEvent):
        if event.style in {"|", ">"}:
            end = start + len(text[start:end].rstrip())
        return Piece("scalar", start, end, event.value, anchor)
    if isinstance(event, yaml.AliasEvent):
        return Piece("alias", start, end, "", anchor)
    if isinstance(event, yaml.CollectionStartEvent):
        kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
        return Piece(kind, start, end, "", anchor)
    kind = "end" if isinstance(event, yaml.CollectionEndEvent) else "other"
    return Piece(kind, start, start, "", anchor)
