"""TOML and JSON of nodes: parsers with limits, and accessors that accept any shape.

A node's files may hold anything. The parsers raise one kind of error for all of it. The accessors
return an empty value if a value has another type than the one asked for. The linters decide
whether a shape is refused.
"""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

LARGEST = 1 << 18
"""The most characters of TOML that are parsed: several times the largest config ever seen."""


LARGEST_JSON = 1 << 20


DEEPEST = 40
"""The most levels of tables and lists in a document; containerd's own have nine."""


_TOO_DEEP = f"it is nested deeper than {DEEPEST} levels"


_HUGE = 1 << 63


# The parser's time and memory grow with the square of the number of parts of one key.
_PART = r"""(?:[\w-]++|"(?:[^"\\]|\\.)*+"|'[^']*+')"""


_LONG_KEY = re.compile(rf"(?:^|[\[{{{{,])[ \t]*+(?:{_PART}[ \t]*+\.[ \t]*+){{{DEEPEST}}}")


class DocumentError(ValueError):
    """A text that cannot be parsed."""


class BoundError(DocumentError):
    """A text that is larger or deeper than any real document, and is not parsed."""


@functools.lru_cache(maxsize=32)
def parse_toml(text: str) -> Mapping[str, Any]:
    """Parse TOML; raise a DocumentError that names the line where it is broken.

    Equal texts share one result, which must not be changed: a plan reads a node's config in
    several steps, and similar nodes have equal files.
    """
    _refuse_large(text, LARGEST)
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= DEEPEST and _LONG_KEY.search(line):
            raise BoundError(
                f"it has a key of more than {DEEPEST} parts (at line {number}, column 1)"
            )
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise BoundError(_TOO_DEEP) from error
    except ValueError as error:
        raise DocumentError(_reason(error)) from error
    _refuse_extremes(data)
    return data


def parse_json(text: str | bytes) -> Any:
    """Parse JSON; raise a DocumentError if it is invalid or holds text that cannot be encoded."""
    _refuse_large(text, LARGEST_JSON)
    try:
        data = json.loads(text)
        json.dumps(data, ensure_ascii=False).encode()  # fails for half of a surrogate pair
    except RecursionError as error:
        raise BoundError(_TOO_DEEP) from error
    except ValueError as error:
        raise DocumentError(_reason(error)) from error
    _refuse_extremes(data)
    return data


def table(data: Any, *path: str) -> Mapping[str, Any]:
    """Return the table at a path; an empty one if there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def tables(data: Any, *path: str) -> dict[str, Mapping[str, Any]]:
    """Return the entries of the table at a path that are tables themselves."""
    entries = table(data, *path).items()
    return {key: value for key, value in entries if isinstance(value, Mapping)}


def table_list(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the tables in the list at a key; empty if there is none."""
    items = data.get(key)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def word(data: Any, key: str) -> str:
    """Return the string under a key; an empty one if there is none."""
    value = table(data).get(key)
    return value if isinstance(value, str) else ""


def words(data: Any, key: str) -> tuple[str, ...]:
    """Return the strings of the list under a key."""
    value = table(data).get(key)
    items = value if isinstance(value, list) else ()
    return tuple(item for item in items if isinstance(item, str))


def strings_in(value: Any) -> Iterator[str]:
    """Yield a string, or the strings of a list and of the lists in it."""
    if isinstance(value, str):
        yield value
    for item in value if isinstance(value, list) else ():
        yield from strings_in(item)


def _refuse_large(text: str | bytes, limit: int) -> None:
    if len(text) > limit:
        raise BoundError(f"it is larger than the {limit >> 10} KiB that fleet parses")


def _refuse_extremes(data: Any) -> None:
    """Raise a DocumentError for deep nesting or huge integers, on which later code would fail."""
    level = [data]
    for _ in range(DEEPEST):
        if any(isinstance(item, int) and not -_HUGE <= item < _HUGE for item in level):
            raise BoundError("it has an integer of more than 64 bits")
        level = [value for item in level for value in _members(item)]
        if not level:
            return
    raise BoundError(_TOO_DEEP)


def _members(item: Any) -> Collection[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _reason(error: Exception) -> str:
    """Return a parser's complaint in one short line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
