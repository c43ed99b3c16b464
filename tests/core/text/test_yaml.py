"""The YAML parser: scalars of YAML 1.2, the place of every value, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.text.yaml import ListSpan, Value, list_spans, parse_yaml, plain
from fleet.core.text.yaml_pieces import yaml_pieces
from fleet.errors import ConfigErrors, Problem

TAG = "custom tags are not supported; put a text that begins with ! in quotes"
SCALARS = {
    "a word": ("hello", "hello"),
    "true": ("true", True),
    "True": ("True", True),
    "FALSE": ("FALSE", False),
    "yes is a word": ("yes", "yes"),
    "off is a word": ("off", "off"),
    "a tilde": ("~", None),
    "null": ("null", None),
    "nothing": ("", None),
    "an integer": ("42", 42),
    "a signed integer": ("-7", -7),
    "zeros in front": ("010", 10),
    "octal": ("0o17", 15),
    "hexadecimal": ("0xfF", 255),
    "a number of 20 digits": ("1" * 20, int("1" * 20)),
    "a number of 21 digits stays text": ("1" * 21, "1" * 21),
    "a fraction": ("1.5", 1.5),
    "an exponent": ("1e3", 1000.0),
    "a fraction without a zero": (".5", 0.5),
    "infinity is a word": (".inf", ".inf"),
    "base 60 is a word": ("22:22", "22:22"),
    "a date is a word": ("2026-01-01", "2026-01-01"),
    "a quoted number": ('"42"', "42"),
    "a quoted boolean": ("'true'", "true"),
    "an underscore makes a word": ("1_000", "1_000"),
    "a tagged string": ("!!str 42", "42"),
    "a tagged number": ('!!int "42"', 42),
}


@pytest.mark.parametrize(("text", "data"), SCALARS.values(), ids=list(SCALARS))
def test_a_scalar_of_yaml_1_2(text: str, data: object) -> None:
    value = plain(parse_yaml(f"k: {text}\n", "a.yaml"))["k"]

    assert value == data
    assert type(value) is type(data)


KINDS = {
    "k: true": "a boolean",
    "k: 1": "an integer",
    "k: 1.5": "a number",
    "k: a": "a string",
    "k: []": "a list",
    "k: {}": "a mapping",
    "k:": "nothing",
}


@pytest.mark.parametrize(("text", "kind"), KINDS.items(), ids=list(KINDS.values()))
def test_the_kind_of_a_value_for_messages(text: str, kind: str) -> None:
    assert parse_yaml(text, "a.yaml").data["k"].value.kind == kind


def test_every_value_has_its_place_and_its_text() -> None:
    root = parse_yaml("a: 0x10\nb:\n  - x\n  - {c: 'y'}\n", "a.yaml")

    a, b = root.data["a"], root.data["b"]
    assert (a.key.text, a.key.line, a.key.column) == ("a", 1, 1)
    assert a.value == Value(16, "0x10", 1, 4)
    assert (b.value.line, b.value.column) == (3, 3)
    first, second = b.value.data
    assert first == Value("x", "x", 3, 5)
    assert second.data["c"].value == Value("y", "y", 4, 9)


@pytest.mark.parametrize("text", ["", "# a comment\n", "\n\n"])
def test_a_text_without_content_is_an_empty_mapping(text: str) -> None:
    assert parse_yaml(text, "a.yaml") == Value({}, "", 1, 1)


def test_the_values_alone_are_plain_python() -> None:
    text = "a: [1, {b: ~}]\nc: {d: e}\n"

    assert plain(parse_yaml(text, "a.yaml")) == {"a": [1, {"b": None}], "c": {"d": "e"}}


MERGES: dict[str, tuple[str, dict[str, Any]]] = {
    "what is missing is added": ("x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n", {"a": 1, "b": 2}),
    "what is there wins": ("x: &x {a: 1}\ny:\n  a: 2\n  <<: *x\n", {"a": 2}),
    "the first of a list wins": (
        "x: [&x {a: 1}, &z {a: 2, b: 3}]\ny:\n  <<: [*x, *z]\n",
        {"a": 1, "b": 3},
    ),
    "a word adds nothing": ("y:\n  <<: word\n  b: 2\n", {"b": 2}),
}


@pytest.mark.parametrize(("text", "merged"), MERGES.values(), ids=list(MERGES))
def test_a_merge_key(text: str, merged: dict[str, Any]) -> None:
    assert plain(parse_yaml(text, "a.yaml"))["y"] == merged


PROBLEMS = {
    "a key that stands twice": (
        "a: 1\nb: 2\na: 3\n",
        Problem("a.yaml", 3, 1, 'the key "a" is listed twice (first on line 1)'),
    ),
    "a list as a key": (
        "? [a]\n: b\n",
        Problem("a.yaml", 1, 3, "a key must be a text, not a list or a mapping"),
    ),
    "a mapping as a key": (
        "? {a: b}\n: b\n",
        Problem("a.yaml", 1, 3, "a key must be a text, not a list or a mapping"),
    ),
    "a tag that makes a word a number": (
        "a: !!int x\n",
        Problem("a.yaml", 1, 4, "this is not a number"),
    ),
    "a tag that makes a word a fraction": (
        "a: !!float x\n",
        Problem("a.yaml", 1, 4, "this is not a number"),
    ),
    "a tag of YAML that is not read": (
        "a: !!binary aGk=\n",
        Problem("a.yaml", 1, 4, "the tag tag:yaml.org,2002:binary is not supported"),
    ),
    "a tag of one's own, which is not shown": (
        "a: !hunter2\n",
        Problem("a.yaml", 1, 4, TAG),
    ),
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_problem_is_collected_with_its_place(text: str, problem: Problem) -> None:
    problems: list[Problem] = []

    parse_yaml(text, "a.yaml", problems)

    assert problems == [problem]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_a_problem_is_raised_where_none_are_collected(text: str, problem: Problem) -> None:
    with pytest.raises(ConfigErrors) as raised:
        parse_yaml(text, "a.yaml")

    assert raised.value.problems == (problem,)


def test_the_first_of_two_equal_keys_counts() -> None:
    assert plain(parse_yaml("a: 1\na: 2\n", "a.yaml", [])) == {"a": 1}


INVALID = {
    "an open bracket": ("a: [1\n", (2, 1), "not valid YAML: "),
    "a tab": ("a:\n\t- b\n", (2, 1), "a tab cannot indent YAML: use spaces"),
    "two documents": ("a: 1\n---\nb: 2\n", (2, 1), "not valid YAML: "),
    "an alias to nothing": ("a: *b\n", (1, 4), "not valid YAML: "),
    "a control character": ("a: \x01\n", (1, 1), "not valid YAML: "),
    "41 levels": ("a:\n  " + "[" * 40 + "]" * 40, (2, 42), "nested too deeply"),
}


@pytest.mark.parametrize(("text", "place", "message"), INVALID.values(), ids=list(INVALID))
def test_text_that_is_not_yaml_raises_even_where_problems_are_collected(
    text: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(ConfigErrors) as raised:
        parse_yaml(text, "a.yaml", [])

    (problem,) = raised.value.problems
    assert (problem.file, problem.line, problem.column) == ("a.yaml", *place)
    assert problem.message.startswith(message)


def test_thousands_of_levels_are_refused() -> None:
    with pytest.raises(ConfigErrors, match="nested too deeply"):
        parse_yaml("[" * 20_000, "a.yaml")


def test_40_levels_are_read() -> None:
    assert parse_yaml("[" * 40 + "]" * 40, "a.yaml").kind == "a list"


def test_an_alias_is_read_as_its_anchor() -> None:
    assert plain(parse_yaml("a: &x [1]\nb: *x\n", "a.yaml"))["b"] == [1]


# -- lists ----------------------------------------------------------------------------------------

LISTS: dict[str, tuple[str, tuple[str | int, ...], list[str], bool]] = {
    "in brackets": ("a: [x, 'y']\n", ("a",), ["x", "'y'"], True),
    "an empty list": ("a: []\n", ("a",), [], True),
    "a block": ("a:\n- x # c\n- y\n# d\n", ("a",), ["x", "y"], False),
    "mappings in a block": (
        "a:\n- b: 1\n  c: 2\n# about d\n- d: 3\n# end\n",
        ("a",),
        ["b: 1\n  c: 2", "d: 3"],
        False,
    ),
    "lists in a block": ("a:\n- - x\n  # c\n- - y\n", ("a",), ["- x", "- y"], False),
    "below keys and an index": ("a:\n- b:\n  - x\n- b:\n  - y\n", ("a", 1, "b"), ["y"], False),
    "the whole text": ("- x\n", (), ["x"], False),
}


@pytest.mark.parametrize(("text", "path", "items", "flow"), LISTS.values(), ids=list(LISTS))
def test_the_place_of_a_list_and_its_items(
    text: str, path: tuple[str | int, ...], items: list[str], flow: bool
) -> None:
    span = list_spans(text, path)

    assert span is not None
    assert [text[start:end] for start, end in span.items] == items
    assert span.flow is flow


def test_a_list_spans_its_brackets() -> None:
    assert list_spans("a: [x]\n", ("a",)) == ListSpan(3, 6, True, ((4, 5),))


NO_LIST: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "another key": ("a: [x]\n", ("b",)),
    "an index beyond the end": ("a: [[x]]\n", ("a", 1)),
    "a word": ("a: x\n", ("a",)),
    "a key of a list": ("a: [x]\n", ("a", "b")),
    "below a word": ("a: x\n", ("a", "b")),
    "an empty text": ("", ("a",)),
    "an alias": ("b: &b [x]\na: *b\n", ("a",)),
    "an alias on the way": ("b: &b {c: [x]}\na: *b\n", ("a", "c")),
    "an alias to the item above": ("[[&x [y]], *x]\n", (1,)),
    "an alias as an item": ("b: &b x\na: [y, *b]\n", ("a",)),
}


@pytest.mark.parametrize(("text", "path"), NO_LIST.values(), ids=list(NO_LIST))
def test_no_place_where_there_is_no_list_in_the_text(
    text: str, path: tuple[str | int, ...]
) -> None:
    assert list_spans(text, path) is None


# -- pieces ---------------------------------------------------------------------------------------


def pieces(text: str) -> list[tuple[str, str, str, str]]:
    """Return the pieces that have a text, an anchor or a kind worth a look."""
    return [
        (piece.kind, text[piece.start : piece.end], piece.value, piece.anchor)
        for piece in yaml_pieces(text)
        if piece.kind != "other"
    ]


def test_the_pieces_of_a_mapping() -> None:
    assert pieces('{a: "x\\u0041"}\n') == [
        ("mapping", "{", "", ""),
        ("scalar", "a", "a", ""),
        ("scalar", '"x\\u0041"', "xA", ""),
        ("end", "", "", ""),
    ]


def test_the_pieces_of_a_list_with_an_anchor_and_an_alias() -> None:
    assert pieces("[&n x, *n]\n") == [
        ("sequence", "[", "", ""),
        ("scalar", "&n x", "x", "n"),
        ("alias", "*n", "", "n"),
        ("end", "", "", ""),
    ]


def test_an_anchor_of_a_collection() -> None:
    assert [piece.anchor for piece in yaml_pieces("&l []") if piece.kind == "sequence"] == ["l"]


@pytest.mark.parametrize("mark", ["|", ">"])
def test_a_block_ends_with_its_last_letter(mark: str) -> None:
    assert pieces(f"a: {mark}\n  x\n\nb: y\n")[2][:2] == ("scalar", f"{mark}\n  x")


def test_a_byte_order_mark_moves_every_piece() -> None:
    assert [text for _, text, *_ in pieces("\ufeffa: b\n")] == ["", "a", "b", ""]


def test_text_that_is_not_yaml_ends_with_an_error_that_reaches_its_end() -> None:
    *before, last = yaml_pieces("a: b\nc: [\n")

    assert last.kind == "error"
    assert last.end == len("a: b\nc: [\n")
    assert [piece.value for piece in before if piece.kind == "scalar"] == ["a", "b", "c"]
