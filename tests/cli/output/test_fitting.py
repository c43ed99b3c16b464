"""Text that fits a terminal: no word is broken, and wide characters count twice."""

from __future__ import annotations

import pytest

from fleet.cli.output.fitting import padded, wrap

WRAPPED = {
    "a line that fits": ("one two", 7, ["one two"]),
    "words": ("one two three", 8, ["one two", "  three"]),
    "below its indent": ("    one two three", 12, ["    one two", "  three"]),
    "a list of nodes": ("x,y1,z22: gone", 6, ["x,y1,", "z22:", "gone"]),
    "a word as wide as the line": ("    /a/path b", 7, ["/a/path", "b"]),
    "a command": ("run `fleet probe` now", 13, ["run", "`fleet probe`", "now"]),
    "a number with its unit": ("timed out (2 s)", 13, ["timed out", "(2 s)"]),
    "a word that is too long": ("a /very/long/path b", 6, ["a", "/very/long/path", "b"]),
    "several lines": ("one\n\ntwo three", 6, ["one", "", "two", "three"]),
    "wide characters": ("\u5317\u4eac \u5317\u4eac", 6, ["\u5317\u4eac", "\u5317\u4eac"]),
}


@pytest.mark.parametrize(("text", "width", "lines"), WRAPPED.values(), ids=WRAPPED)
def test_a_long_line_is_broken_between_words(text: str, width: int, lines: list[str]) -> None:
    assert [line.strip() for line in wrap(text, width)] == [line.strip() for line in lines]


def test_a_line_that_continues_another_is_indented_below_it() -> None:
    text = "  remedy: check that the node is up, and that its address is right"

    assert list(wrap(text, 40)) == [
        "  remedy: check that the node is up, and",
        "    that its address is right",
    ]


def test_a_wide_character_takes_two_columns() -> None:
    assert padded("\u5317\u4eac", 6) == "\u5317\u4eac  "
