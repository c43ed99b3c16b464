"""Captures of every command at 60, 80 and 120 columns: no word, path, ID or state is broken.

`python -m tests.cli.output.test_captures` writes the captures anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path
from unittest import mock

import pytest

from fleet.errors import columns
from tests.cli.output.samples import SAMPLES

CAPTURES = Path(__file__).parent / "captures"
WIDTHS = (60, 80, 120)
_CODES = re.compile(r"\x1b\[[0-9;]*m")


class _Window(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        """Return that this is a terminal."""
        return True


def captured(name: str, width: int) -> list[str]:
    """Return the lines that a command prints on a terminal of this width."""
    window = _Window()
    size = {"COLUMNS": str(width), "LINES": "50", "TERM": "xterm-256color"}
    with mock.patch.dict(os.environ, size), contextlib.redirect_stdout(window):
        SAMPLES[name]()
    return [line.rstrip() for line in _CODES.sub("", window.getvalue()).splitlines()]


def _document(name: str) -> str:
    parts = ("\n".join((f"# {width} columns", *captured(name, width))) for width in WIDTHS)
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_command_prints_what_was_captured(name: str) -> None:
    assert _document(name) == (CAPTURES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    wide = [line for line in captured(name, width) if columns(line) > width]

    assert [line for line in wide if columns(line.strip()) <= width or " " in line.strip()] == []


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", WIDTHS[:2])
def test_every_word_is_whole_at_every_width(name: str, width: int) -> None:
    assert words_of(name, width) <= words_of(name, WIDTHS[-1])


def words_of(name: str, width: int) -> set[str]:
    """Return the words of a capture; the name of a column is in lower case below a row."""
    text = " ".join(captured(name, width)).replace(",", ", ")
    return {word.lower().rstrip(":") for word in text.split()}


if __name__ == "__main__":
    for sample in SAMPLES:
        (CAPTURES / f"{sample}.txt").write_text(_document(sample), encoding="utf-8")
