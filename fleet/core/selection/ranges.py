"""Ranges of node names: `cp[1-3]` expanded into names, and names compressed into one short text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

from fleet.errors import FleetError

MOST = 100_000
"""The most nodes that a pattern may name."""


_RANGE = re.compile(r"\[([^\[\]]*)\]")


_STEP = re.compile(r"([0-9]{1,18})[-:]([0-9]{1,18})(?:[:/]([0-9]{1,18}))?")


_LETTERS = re.compile(r"([a-z])[-:]([a-z])|([A-Z])[-:]([A-Z])")


_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)")


def expand(pattern: str) -> tuple[str, ...]:
    """Return the names of a pattern in order; raise a FleetError for an invalid range."""
    names = [""]
    position = 0
    for match in _RANGE.finditer(pattern):
        head = pattern[position : match.start()]
        parts = tuple(islice(_expand_range(match[1], pattern), MOST + 1))
        if len(names) * len(parts) > MOST:
            raise FleetError(f"{pattern!r} names more than {MOST} nodes")
        names = [f"{name}{head}{part}" for name in names for part in parts]
        position = match.end()
    return tuple(name + pattern[position:] for name in names)


def _expand_range(text: str, pattern: str) -> Iterator[str]:
    for part in text.split(","):
        if match := _STEP.fullmatch(part):
            yield from _expand_numbers(match, pattern)
        elif match := _LETTERS.fullmatch(part):
            first, last = (letter for letter in match.groups() if letter)
            yield from (chr(code) for code in range(ord(first), ord(last) + 1))
        elif re.fullmatch(r"[A-Za-z0-9]+", part):
            yield part
        else:
            raise FleetError(f"{pattern!r}: [{text}] is not a range: write [1-3] or [01:40]")


def _expand_numbers(match: re.Match[str], pattern: str) -> Iterator[str]:
    first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if first > last:
        raise FleetError(f"{pattern!r}: [{match[0]}]: the range ends before it starts")
    if step == 0:
        raise FleetError(f"{pattern!r}: [{match[0]}]: a step of 0 never ends")
    if (last - first) // step >= MOST:
        raise FleetError(f"{pattern!r} names more than {MOST} nodes")
    width = len(match[1]) if match[1].startswith("0") else 0
    return (str(number).zfill(width) for number in range(first, last + 1, step))


def compress(names: Iterable[str]) -> str:
    """Return names as one short pattern that expand reads, such as `w[1-40],x`."""
    runs: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    order: list[tuple[str, str, int] | str] = []
    matches = {name: _NUMBERED.fullmatch(name) for name in names}
    padded = {
        (match[1], match[3], len(match[2]))
        for match in matches.values()
        if match and match[2].startswith("0")
    }
    for name, match in matches.items():
        if match is None:
            order.append(name)
            continue
        # If 099 is padded, 100 counts as padded to three digits too, so both are in one range.
        width = len(match[2]) if (match[1], match[3], len(match[2])) in padded else 0
        key = (match[1], match[3], width)
        if key not in runs:
            order.append(key)
        runs[key].append(int(match[2]))
    return ",".join(
        item if isinstance(item, str) else _format_run(item, runs[item]) for item in order
    )


def _format_run(key: tuple[str, str, int], numbers: list[int]) -> str:
    prefix, suffix, width = key
    if len(numbers) == 1:
        return f"{prefix}{str(numbers[0]).zfill(width)}{suffix}"
    return f"{prefix}[{','.join(_format_stretches(sorted(numbers), width))}]{suffix}"


def _format_stretches(numbers: list[int], width: int) -> Iterator[str]:
    start = previous = numbers[0]
    for number in [*numbers[1:], None]:
        if number is not None and number == previous + 1:
            previous = number
            continue
        first = str(start).zfill(width)
        yield first if start == previous else f"{first}-{str(previous).zfill(width)}"
        if number is not None:
            start = previous = number
