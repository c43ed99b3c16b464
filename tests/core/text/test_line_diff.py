"""Unified diffs: the same as difflib's, and bounded for texts that are too large to compare."""

from __future__ import annotations

import difflib
import time

from hypothesis import given
from hypothesis import strategies as st

from fleet.core.text.line_diff import diff_lines

NAMES = ("/old", "/new")


def test_a_changed_line_with_three_lines_around_it() -> None:
    before = [f"line {number}" for number in range(10)]
    after = [*before[:5], "changed", *before[6:]]

    assert diff_lines(before, after, NAMES) == [
        "--- /old",
        "+++ /new",
        "@@ -3,7 +3,7 @@",
        " line 2",
        " line 3",
        " line 4",
        "-line 5",
        "+changed",
        " line 6",
        " line 7",
        " line 8",
    ]


def test_equal_texts_have_no_diff() -> None:
    assert diff_lines(["a", "b"], ["a", "b"], NAMES) == []


def test_a_new_file() -> None:
    assert diff_lines([], ["a"], NAMES) == ["--- /old", "+++ /new", "@@ -0,0 +1 @@", "+a"]


def test_a_removed_file() -> None:
    assert diff_lines(["a"], [], NAMES) == ["--- /old", "+++ /new", "@@ -1 +0,0 @@", "-a"]


def test_a_line_that_looks_like_a_hunk_header_keeps_its_numbers() -> None:
    before = [*"abcdefg", "x"]
    after = [*"abcdefg", "@@ -1,2 +3,4 @@"]

    assert diff_lines(before, after, NAMES)[-1] == "+@@ -1,2 +3,4 @@"


@given(st.lists(st.sampled_from("ab@"), max_size=14), st.lists(st.sampled_from("ab@"), max_size=14))
def test_it_can_be_applied(before: list[str], after: list[str]) -> None:
    lines = diff_lines(before, after, NAMES)

    text, at = [], 0
    for line in lines[2:]:
        if line.startswith("@@ "):
            first, _, count = line.split(" ")[1][1:].partition(",")
            start = int(first) - (count != "0")
            text += before[at:start]
            at = start
        elif line[0] in " -":
            assert before[at] == line[1:]
            at += 1
        if line[0] in " +":
            text.append(line[1:])
    assert text + before[at:] == after


@given(st.lists(st.sampled_from("abcdefgh"), max_size=20, unique=True), st.integers(0, 20))
def test_one_inserted_line_is_shown_as_difflib_shows_it(before: list[str], at: int) -> None:
    after = [*before[:at], "new", *before[at:]]

    assert diff_lines(before, after, NAMES) == [
        *difflib.unified_diff(before, after, *NAMES, lineterm="")
    ]


def test_what_is_too_large_to_compare_shows_the_beginning_of_each() -> None:
    before = ["head", *["a"] * 800, "tail"]
    after = ["head", *["b"] * 900, "tail"]

    lines = diff_lines(before, after, NAMES)

    assert lines[:4] == ["--- /old", "+++ /new", "@@ -2,800 +2,900 @@", "-a"]
    assert lines.count("-a") == lines.count("+b") == 200
    assert lines[203] == "-... and 600 more lines"
    assert lines[-1] == "+... and 700 more lines"


def test_a_side_of_200_lines_is_shown_whole() -> None:
    lines = diff_lines(["a"] * 200, ["b"] * 3000, NAMES)

    assert [line for line in lines if "more lines" in line] == ["+... and 2800 more lines"]


def test_a_config_of_700_lines_may_change_as_a_whole() -> None:
    lines = diff_lines(["a"] * 700, ["b"] * 700, NAMES)

    assert (lines.count("-a"), lines.count("+b")) == (700, 700)


def test_texts_that_repeat_their_lines_take_no_time() -> None:
    began = time.process_time()

    diff_lines(["a", "b"] * 20_000, ["b", "a"] * 20_000, NAMES)

    assert time.process_time() - began < 1
