"""Unified diffs with limits: difflib takes quadratic time for texts that repeat their lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import takewhile

_MOST_PAIRS = 1 << 19
"""The most pairs of lines that difflib compares; a config of 700 lines may change as a whole."""


_CONTEXT = 3


_SHOWN = 200
"""Lines of each text that are shown if there are too many to compare."""


def diff_lines(before: Sequence[str], after: Sequence[str], names: tuple[str, str]) -> list[str]:
    """Return a unified diff; if the texts are too large to compare, show the beginning of each."""
    head = _common_length(before, after)
    tail = _common_length(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if len(old) * len(new) > _MOST_PAIRS:
        return [*_file_lines(names), f"@@ -{head + 1},{len(old)} +{head + 1},{len(new)} @@",
                *_one_sided("-", old), *_one_sided("+", new)]  # fmt: skip
    start = max(0, head - _CONTEXT)
    ends = (len(before) - max(0, tail - _CONTEXT), len(after) - max(0, tail - _CONTEXT))
    lines = difflib.unified_diff(
        before[start : ends[0]], after[start : ends[1]], *names, lineterm=""
    )
    return [_shift_hunk(line, start) for line in lines]


def _common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the number of lines at the beginning that both texts share."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    )


def _file_lines(names: tuple[str, str]) -> tuple[str, str]:
    return f"--- {names[0]}", f"+++ {names[1]}"


def _one_sided(sign: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{sign}{line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"{sign}... and {len(lines) - _SHOWN} more lines"


def _shift_hunk(line: str, offset: int) -> str:
    """Return a line of a diff; in a hunk header, add the offset to the line numbers."""
    if not offset or not line.startswith("@@ "):
        return line
    _, old, new, end = line.split(" ", 3)
    return f"@@ {_shift_range(old, offset)} {_shift_range(new, offset)} {end}"


def _shift_range(text: str, offset: int) -> str:
    number, comma, count = text[1:].partition(",")
    return f"{text[0]}{int(number) + offset}{comma}{count}"
