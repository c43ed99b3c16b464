"""Text that fits a terminal: lines are broken between words, and never within one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import click

from fleet.errors import columns

_PIECE = re.compile(
    r"[^\s,`]*`[^`]*`[^\s,]*,?"  # a command in backquotes
    r"|[^\s,]*\d (?:s|ms|B)\b[^\s,]*,?"  # a number with its unit
    r"|[^\s,]*,|[^\s,]+|\s+"
)
"""A part of a line that is not broken: a word, or blanks. Lists may be broken behind a comma."""
_LEAST = 24
"""The least columns that are left for text beside an indent."""


def padded(text: str, width: int) -> str:
    """Return a text with blanks behind it, so that it takes `width` terminal columns."""
    return text + " " * max(0, width - columns(text))


def echo(text: str, *, err: bool = False) -> None:
    """Print a message; on a terminal its lines are broken between words.

    Lines that begin with a blank, such as those of a file with a caret below, stay as they are.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = 0
    for line in text.split("\n"):
        whole = not width or line.startswith(" ")
        for row in (line,) if whole else wrap(line, width):
            click.echo(row, err=err)


def wrap(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text; a line that continues another is indented below it."""
    for line in text.split("\n"):
        if columns(line) <= width:
            yield line
        else:
            yield from _wrap_line(line, width)


def _wrap_line(line: str, width: int) -> Iterator[str]:
    begin = len(line) - len(line.lstrip())
    hanging = " " * min(begin + 2, max(0, width - _LEAST))
    row = line[:begin]
    for piece in _PIECE.findall(line[begin:]):
        if row.strip() and columns(row) + columns(piece.rstrip()) > width:
            yield row.rstrip()
            row = hanging
        if row.strip():
            row += piece
        else:  # a word that is wider than the rest of its line takes some of the indent
            row = row[: max(0, width - columns(piece.strip()))] + piece.strip()
    if row.strip():
        yield row.rstrip()
