"""Another order for the endpoints of mirrors.yaml: items move together with their comments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from fleet.core.containerd.registry_url import normal_url, with_scheme, without_v2
from fleet.core.text.yaml import ListSpan, Value, list_spans, parse_yaml, plain

Path = tuple[str | int, ...]


def endpoint_lists(root: Value) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    """Yield every list of endpoints of the file: its registry, its URLs and its path."""
    body = root.data if isinstance(root.data, dict) else {}
    if "mirrors" in body:
        yield from _lists_of_mirrors(body["mirrors"].value, ("mirrors",))
    overrides = body["overrides"].value.data if "overrides" in body else ()
    for number, item in enumerate(overrides if isinstance(overrides, tuple) else ()):
        if isinstance(item.data, dict) and "mirrors" in item.data:
            yield from _lists_of_mirrors(
                item.data["mirrors"].value, ("overrides", number, "mirrors")
            )


def _lists_of_mirrors(value: Value, path: Path) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    for name, entry in (value.data if isinstance(value.data, dict) else {}).items():
        body = entry.value.data if isinstance(entry.value.data, dict) else {}
        for key in ("endpoints", "endpoint"):
            items = body[key].value.data if key in body else None
            if isinstance(items, tuple):
                registry = "_default" if name == "*" else name
                urls = tuple(_url(item, by_k3s=key == "endpoint") for item in items)
                yield registry, urls, (*path, name, key)


def _url(item: Value, *, by_k3s: bool) -> str:
    """Return the URL of an item, normalized as the reader of mirrors.yaml does."""
    text = item.text if isinstance(item.data, str) else ""
    text = with_scheme(text) if by_k3s and text else text
    if isinstance(item.data, dict) and "url" in item.data:
        text = item.data["url"].value.text
    return without_v2(normal_url(text)) if "://" in text else text


def reordered(text: str, path: Path, order: tuple[int, ...]) -> str | None:
    """Return the text with the items of one list in another order; None if that is not safe.

    `order` holds the present indexes of the items. Comments above an item, and behind it on its
    line, move with it. Aliases are not safe, nor are comments inside brackets.
    """
    span = list_spans(text, path)
    if span is None or len(span.items) != len(order):
        return None
    new = _reorder_flow(text, span, order) if span.flow else _reorder_block(text, span, order)
    return new if new is not None and _same_but_order(text, new, path, order) else None


def _reorder_flow(text: str, span: ListSpan, order: tuple[int, ...]) -> str | None:
    """Swap the items between brackets; None if there is a comment, which could be any item's."""
    parts, at = [], span.start
    for (begin, end), number in zip(span.items, order, strict=True):
        between = text[at:begin]
        if "#" in between:
            return None
        first, last = span.items[number]
        parts += [between, text[first:last]]
        at = end
    if "#" in text[at : span.end]:
        return None
    return text[: span.start] + "".join(parts) + text[at:]


def _reorder_block(text: str, span: ListSpan, order: tuple[int, ...]) -> str | None:
    """Move whole lines: each item with the comments above it."""
    begins = [text.rfind("\n", 0, start) + 1 for start, _ in span.items]
    if len(set(begins)) != len(begins):
        return None
    indent = text[begins[0] : span.items[0][0]].index("-") if begins else 0
    if any(text[b:s].strip() != "-" for b, (s, _) in zip(begins, span.items, strict=True)):
        return None
    heads = [_comments_start(text, begin, indent) for begin in begins]
    first = heads[0]
    last = _line_end(text, span.items[-1][1])
    edges = [*heads, last]
    parts = [text[a:b] for a, b in pairwise(edges)]
    if not parts[-1].endswith("\n"):
        parts[-1] += "\n"
        moved = "".join(parts[number] for number in order)
        return text[:first] + moved.removesuffix("\n")
    return text[:first] + "".join(parts[number] for number in order) + text[last:]


def _comments_start(text: str, begin: int, indent: int) -> int:
    """Return the offset of the comments directly above a line, if indented at least as deep."""
    while begin > 0:
        above = text.rfind("\n", 0, begin - 1) + 1
        line = text[above:begin]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) < indent:
            break
        begin = above
    return begin


def _line_end(text: str, end: int) -> int:
    """Return the offset of the end of the line that holds an item's last character."""
    last = len(text[:end].rstrip())
    newline = text.find("\n", last)
    return len(text) if newline < 0 else newline + 1


def _same_but_order(old: str, new: str, path: Path, order: tuple[int, ...]) -> bool:
    """Return whether both texts have the same content except for the order."""
    before, after = plain(parse_yaml(old, "")), plain(parse_yaml(new, ""))
    items = _value_at(before, path)
    moved = [items[number] for number in order]
    items[:] = moved
    return bool(before == after) and sorted(old) == sorted(new)


def _value_at(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data
