"""Edits of a TOML text in one pass: settings, tables and removals, byte for byte."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.text.toml_scan import Path, statements
from fleet.core.text.toml_splice import (
    Entry,
    add_header,
    append,
    cut,
    indent,
    put,
    whole_line,
)

PUT: dict[str, tuple[str, Entry, str]] = {
    "an empty text": ("", (("a",), "k", "v"), '[a]\n  k = "v"\n'),
    "a value in place": ("[a]\nk = 1 # c\n", (("a",), "k", "v"), '[a]\nk = "v" # c\n'),
    "single quotes stay": ("[a]\nk = 'x'\n", (("a",), "k", "v"), "[a]\nk = 'v'\n"),
    "single quotes of a list stay": ("[a]\nk = ['x']\n", (("a",), "k", ["v"]), "[a]\nk = ['v']\n"),
    "an inner list takes the default": (
        "[a]\nk = [['x']]\n",
        (("a",), "k", ["v"]),
        '[a]\nk = ["v"]\n',
    ),
    "a dotted key in place": ("a.k = 1\n", (("a",), "k", True), "a.k = true\n"),
    "after the last key of its table": (
        "[a]\nx = 1 # c\n\n[b]\n",
        (("a",), "k", "v"),
        '[a]\nx = 1 # c\nk = "v"\n\n[b]\n',
    ),
    "with the margin of the key above": (
        "[a]\n\tx = 1\n",
        (("a",), "k", "v"),
        '[a]\n\tx = 1\n\tk = "v"\n',
    ),
    "below an empty table, two spaces in": (
        "  [a]\n[b]\n",
        (("a",), "k", "v"),
        '  [a]\n    k = "v"\n[b]\n',
    ),
    "beside dotted keys of its table": (
        "[a]\nb.x = 1\ny = 2\n",
        (("a", "b"), "k", "v"),
        '[a]\nb.x = 1\nb.k = "v"\ny = 2\n',
    ),
    "beside dotted keys, quoted": (
        '"a b".x = 1\n',
        (("a b",), "k", "v"),
        '"a b".x = 1\n"a b".k = "v"\n',
    ),
    "a new table after a line end": (
        "x = 1\n",
        (("a", "b.c"), "k", "v"),
        'x = 1\n\n[a."b.c"]\n  k = "v"\n',
    ),
    "a new table without a line end": ("x = 1", (("a",), "k", "v"), 'x = 1\n\n[a]\n  k = "v"'),
    "a new key without a line end": ("[a]\nx = 1", (("a",), "k", "v"), '[a]\nx = 1\nk = "v"'),
    "CRLF in a table": ("[a]\r\nx = 1\r\n", (("a",), "k", "v"), '[a]\r\nx = 1\r\nk = "v"\r\n'),
    "CRLF in a new table": ("x = 1\r\n", (("a",), "k", "v"), 'x = 1\r\n\r\n[a]\r\n  k = "v"\r\n'),
    "a table of an array is not the table": (
        "[[a]]\nx = 1\n",
        (("b",), "k", "v"),
        '[[a]]\nx = 1\n\n[b]\n  k = "v"\n',
    ),
    "a header above its sub-tables": (
        "[a]\n[a.b]\nx = 1\n",
        (("a",), "k", "v"),
        '[a]\n  k = "v"\n[a.b]\nx = 1\n',
    ),
}


@pytest.mark.parametrize(("before", "entry", "after"), PUT.values(), ids=list(PUT))
def test_one_setting_is_put(before: str, entry: Entry, after: str) -> None:
    assert put(before, [entry]) == after


@pytest.mark.parametrize(("before", "entry", "after"), PUT.values(), ids=list(PUT))
def test_a_setting_that_is_put_twice_changes_nothing_more(
    before: str, entry: Entry, after: str
) -> None:
    assert put(after, [entry]) == after


def test_entries_of_one_new_table_share_its_header() -> None:
    entries: list[Entry] = [(("a",), "k", "1"), (("b",), "k", "2"), (("a",), "l", "3")]

    assert put("", entries) == '[a]\n  k = "1"\n  l = "3"\n\n[b]\n  k = "2"\n'


def test_entries_of_one_table_keep_their_order() -> None:
    entries: list[Entry] = [(("a",), "k", "1"), (("a",), "b", "2")]

    assert put("[a]\nx = 1\n", entries) == '[a]\nx = 1\nk = "1"\nb = "2"\n'


def test_a_new_key_and_a_new_table_at_an_end_without_a_line_end() -> None:
    entries: list[Entry] = [(("a",), "k", "1"), (("b",), "k", "2")]

    assert put("[a]\nx = 1", entries) == '[a]\nx = 1\nk = "1"\n\n[b]\n  k = "2"'


def test_settings_in_place_and_new_ones_are_put_in_one_pass() -> None:
    entries: list[Entry] = [(("b",), "y", "2"), (("a",), "k", "1"), (("a",), "x", "3")]

    assert put("[a]\nx = 1\n[b]\ny = 1\n", entries) == ('[a]\nx = "3"\nk = "1"\n[b]\ny = "2"\n')


def test_no_entry_leaves_the_text() -> None:
    assert put("a = 1 # c", []) == "a = 1 # c"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[a]\n  k = "v"\n'),
        ("x = 1\n", 'x = 1\n\n[a]\n  k = "v"\n'),
        ("x = 1", 'x = 1\n\n[a]\n  k = "v"'),
        ("x = 1\r\n", 'x = 1\r\n\r\n[a]\r\n  k = "v"\r\n'),
    ],
    ids=["empty", "whole line", "no line end", "CRLF"],
)
def test_a_table_is_appended(before: str, after: str) -> None:
    assert append(before, (("a",), "k", "v")) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "[a.b]\n"), ("x = 1\n", "x = 1\n\n[a.b]\n"), ("x = 1", "x = 1\n\n[a.b]")],
)
def test_an_empty_table_is_appended(before: str, after: str) -> None:
    assert add_header(before, ("a", "b")) == after


@pytest.mark.parametrize(
    ("text", "at", "inserted"),
    [
        ("a\nb\n", 2, "x\n"),
        ("a\r\n", 3, "x\r\n"),
        ("a\n", 2, "x\n"),
        ("a", 1, "\nx"),
        ("", 0, "\nx"),
        ("a\r\nb", 4, "\r\nx"),
        ("a\nb", 2, "x\n"),
    ],
    ids=["inside", "CRLF", "at the end", "no line end", "empty", "CRLF, no line end", "line start"],
)
def test_an_inserted_text_becomes_a_line(text: str, at: int, inserted: str) -> None:
    assert whole_line(text, at, "x") == inserted


@pytest.mark.parametrize("margin", ["", "  ", "\t", " \t "])
def test_the_margin_of_a_statement(margin: str) -> None:
    text = f"# c\n{margin}a = 1\n"
    (statement,) = statements(text)

    assert indent(text, statement) == margin


CUT: dict[str, tuple[str, list[Path], str]] = {
    "a key": ("a = 1\nb = 2\n", [("a",)], "b = 2\n"),
    "the last key": ("a = 1\nb = 2\n", [("b",)], "a = 1\n"),
    "the last key without a line end": ("a = 1\nb = 2", [("b",)], "a = 1"),
    "all": ("[a]\nb = 2\n", [("a",)], ""),
    "nothing": ("a = 1\n", [("b",)], "a = 1\n"),
    "no path": ("a = 1\n", [], "a = 1\n"),
    "a key and its comment": ("a = 1 # c\nb = 2\n", [("a",)], "b = 2\n"),
    "the comment above stays": ("# of a\na = 1\nb = 2\n", [("a",)], "# of a\nb = 2\n"),
    "a table and its sub-tables": ("[a]\nx = 1\n[a.b]\n[c]\n", [("a",)], "[c]\n"),
    "a table, not one that begins alike": ("[a]\n[ab]\n", [("a",)], "[ab]\n"),
    "comments inside a run": (
        "[a]\nx = 1\n# in\ny = 2\n# after\n[b]\n",
        [("a",)],
        "# after\n[b]\n",
    ),
    "one of two blank lines": ("[a]\n\n[b]\nx = 1\n\n[c]\n", [("b",)], "[a]\n\n[c]\n"),
    "the blank line above the last table": ("[a]\n\n[b]\n", [("b",)], "[a]\n"),
    "a blank line above a key stays": ("a = 1\n\nb = 2\n", [("b",)], "a = 1\n\n"),
    "a blank line at the top": ("\n[a]\n", [("a",)], ""),
    "CRLF": ("[a]\r\n\r\n[b]\r\nx = 1\r\n\r\n[c]\r\n", [("b",)], "[a]\r\n\r\n[c]\r\n"),
    "a table without a line end": ("x = 1\n\n[a]\n  k = 1", [("a",)], "x = 1"),
    "a table without a line end, CRLF": ("x = 1\r\n\r\n[a]", [("a",)], "x = 1"),
    "two runs": ("[a]\n[b]\n[a.c]\n[d]\n", [("a",)], "[b]\n[d]\n"),
    "two paths of two lengths": ("[a]\nx = 1\ny = 2\n[b]\n", [("a", "x"), ("b",)], "[a]\ny = 2\n"),
    "dotted keys": ("a.b = 1\na.c = 2\n", [("a", "b")], "a.c = 2\n"),
    "every table of an array": ("[[a]]\nx = 1\n[[a]]\n[b]\n", [("a",)], "[b]\n"),
}


@pytest.mark.parametrize(("before", "paths", "after"), CUT.values(), ids=list(CUT))
def test_what_is_below_the_paths_is_cut(before: str, paths: list[Path], after: str) -> None:
    assert cut(before, paths) == after


TEXTS = st.lists(
    st.sampled_from(["[a]", "[b]", "  [c.d]", "# note", "", "\t"]), max_size=6, unique=True
).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).flatmap(
        lambda end: st.sampled_from([end.join(lines), end.join([*lines, ""])])
    )
)


@given(TEXTS, st.sampled_from(["v", "it's", "é\n"]))
def test_an_appended_table_is_cut_without_a_trace(text: str, value: str) -> None:
    changed = append(text, (("new", "t"), "k", value))

    assert tomllib.loads(changed)["new"] == {"t": {"k": value}}
    assert cut(changed, [("new", "t")]) == text
