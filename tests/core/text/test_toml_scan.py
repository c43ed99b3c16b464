"""Statements of a TOML text: their paths, their places, and the writing of keys and values."""

from __future__ import annotations

import tomllib

import pytest

from fleet.core.text.toml_scan import (
    Path,
    dotted,
    newline_of,
    quoted,
    split,
    statements,
    toml_value,
)

PATHS: dict[str, tuple[str, list[Path]]] = {
    "an empty text": ("", []),
    "comments and blank lines": ("# a = 1\n\n \t\n  # [b]\r\n", []),
    "a root key": ("a = 1\n", [("a",)]),
    "no line end": ("a = 1", [("a",)]),
    "no spaces": ("a=1\nb=2", [("a",), ("b",)]),
    "a table": ("[a]\nb = 1\n", [("a",), ("a", "b")]),
    "an empty table": ("[a]\n[b]\n", [("a",), ("b",)]),
    "a dotted header": ("[a . b]\nc = 1\n", [("a", "b"), ("a", "b", "c")]),
    "a dotted key": ("[a]\nb . c = 1\n", [("a",), ("a", "b", "c")]),
    "quoted keys": ('["a.b".\'c]\']\n"d\\"" = 1\n', [("a.b", "c]"), ("a.b", "c]", 'd"')]),
    "an escaped key": ('"\\u0061" = 1\n', [("a",)]),
    "an array of tables": ("[[a]]\nb = 1\n[[a]]\n", [("a",), ("a", "b"), ("a",)]),
    "indented lines": ("  [a]\n\tb = 1\n", [("a",), ("a", "b")]),
    "a header with a comment": ("[a] # [b]\nc = 1 # d = 2\n", [("a",), ("a", "c")]),
    "CRLF": ("[a]\r\nb = 1\r\n", [("a",), ("a", "b")]),
}


@pytest.mark.parametrize(("text", "paths"), PATHS.values(), ids=list(PATHS))
def test_the_path_of_each_statement(text: str, paths: list[Path]) -> None:
    assert [statement.path for statement in statements(text)] == paths


VALUES = {
    "a number": "1",
    "a date": "1979-05-27 07:32:00",
    "a string": '"a"',
    "an escaped quote": r'"a\"b"',
    "a literal string": r"'a\'",
    "a hash in a string": '"a # b"',
    "a bracket in a string": "'a ] b'",
    "a list": '["a", "b"]',
    "a nested list": "[[1], [2, [3]]]",
    "a list over lines": "[\n  1, # one ]\n  2,\n]",
    "an inline table": "{ a = 1, b = { c = '}' } }",
    "a string of many lines": '"""\nb = 2 # no comment\n[c]\n"""',
    "quotes in a string of many lines": '"""a ""b"" c"""',
    "quotes at the end of such a string": '"""a"""""',
    "a literal of many lines": "'''\n# a ]\n'''",
    "quotes at the end of such a literal": "'''a'''''",
    "an empty string": '""',
    "an empty literal": "''",
    "two empty strings in a list": '["", ""]',
}


@pytest.mark.parametrize("value", VALUES.values(), ids=list(VALUES))
@pytest.mark.parametrize("rest", ["\n", "", "  # note\n", "\t\n", " # a\r\n"])
def test_a_value_ends_where_toml_ends_it(value: str, rest: str) -> None:
    text = f"[t]\nk = {value}{rest}"

    statement = list(statements(text + ("z = 1\n" if "\n" in rest else "")))[1]

    assert text[statement.value : statement.value_end] == value
    assert tomllib.loads(f"v = {value}"), "the row is TOML"


def test_a_statement_holds_its_whole_line() -> None:
    text = "# head\n\n  [a] # of a\n  b = 1 # of b\n# tail\n"

    header, setting = statements(text)

    assert text[header.start : header.end] == "  [a] # of a\n"
    assert text[setting.start : setting.end] == "  b = 1 # of b\n"


def test_a_last_line_without_a_line_end_reaches_the_end_of_the_text() -> None:
    (statement,) = statements("a = 1 # note")

    assert (statement.start, statement.end) == (0, 12)


def test_a_header_has_an_empty_value() -> None:
    (header,) = statements("[a]\n")

    assert header.header
    assert header.value == header.value_end


def test_a_setting_is_not_a_header() -> None:
    (setting,) = statements("a = 1\n")

    assert not setting.header
    assert not setting.array


@pytest.mark.parametrize(("text", "array"), [("[a]\n", False), ("[[a]]\n", True)])
def test_double_brackets_mark_an_array_of_tables(text: str, array: bool) -> None:
    (header,) = statements(text)

    assert header.header
    assert header.array is array


BELOW: dict[str, tuple[Path, bool]] = {
    "the root": ((), True),
    "its table": (("a",), True),
    "itself": (("a", "b"), True),
    "a deeper path": (("a", "b", "c"), False),
    "a sibling": (("a", "x"), False),
    "another table": (("b",), False),
}


@pytest.mark.parametrize(("path", "below"), BELOW.values(), ids=list(BELOW))
def test_a_statement_is_below_its_own_path_and_all_above_it(path: Path, below: bool) -> None:
    (statement,) = statements("a.b = 1\n")

    assert statement.below(path) is below


@pytest.mark.parametrize(
    ("text", "newline"), [("a\nb\n", "\n"), ("a\r\nb\r\n", "\r\n"), ("", "\n"), ("a", "\n")]
)
def test_the_line_ending_of_a_text(text: str, newline: str) -> None:
    assert newline_of(text) == newline


NAMES: dict[str, tuple[Path, str]] = {
    "bare keys": (("plugins", "a-b_C1"), "plugins.a-b_C1"),
    "a key with dots": (("plugins", "io.containerd.v1"), 'plugins."io.containerd.v1"'),
    "a key with a port": (("10.0.0.5:5000",), '"10.0.0.5:5000"'),
    "a star": (("*",), '"*"'),
    "an empty key": (("",), '""'),
    "a quote": (('a"b',), r'"a\"b"'),
    "no key": ((), ""),
}


@pytest.mark.parametrize(("path", "name"), NAMES.values(), ids=list(NAMES))
def test_keys_are_quoted_only_if_toml_asks_for_it(path: Path, name: str) -> None:
    assert dotted(path) == name
    assert split(name) == path


def test_a_name_is_split_with_spaces_around_its_dots() -> None:
    assert split("a . 'b.c' .d") == ("a", "b.c", "d")


WRITTEN: dict[str, tuple[object, str, str]] = {
    "true": (True, '"', "true"),
    "false": (False, '"', "false"),
    "a string": ("a", '"', '"a"'),
    "a string in single quotes": ("a", "'", "'a'"),
    "a list": (["a", "b"], '"', '["a", "b"]'),
    "a list in single quotes": (["a", "b"], "'", "['a', 'b']"),
    "a list of lists": ([["a"], ["b", "c"]], '"', '[["a"], ["b", "c"]]'),
    "an empty list": ([], '"', "[]"),
    "a list of booleans": ([True, False], '"', "[true, false]"),
}


@pytest.mark.parametrize(("value", "mark", "text"), WRITTEN.values(), ids=list(WRITTEN))
def test_a_value_as_toml(value: object, mark: str, text: str) -> None:
    assert toml_value(value, mark) == text
    assert tomllib.loads(f"v = {text}")["v"] == value


QUOTED = {
    "double quotes are the default": ("a", '"', '"a"'),
    "a backslash": ("a\\b", '"', r'"a\\b"'),
    "a backslash in single quotes": ("a\\b", "'", r"'a\b'"),
    "a quote": ('a"b', '"', r'"a\"b"'),
    "a single quote cannot stand in single quotes": ("a'b", "'", '"a\'b"'),
    "a line end cannot stand in single quotes": ("a\nb", "'", r'"a\u000ab"'),
    "a control character": ("\x1f", '"', r'"\u001f"'),
    "a space": (" ", '"', '" "'),
    "delete": ("\x7f", '"', r'"\u007f"'),
    "letters of all languages": ("ü😀", '"', '"ü😀"'),
}


@pytest.mark.parametrize(("text", "mark", "written"), QUOTED.values(), ids=list(QUOTED))
def test_a_string_on_one_line(text: str, mark: str, written: str) -> None:
    assert quoted(text, mark) == written
    assert tomllib.loads(f"v = {written}")["v"] == text
