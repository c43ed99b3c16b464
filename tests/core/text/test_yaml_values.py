"""Writing YAML values without any doubt, and comparing what a document means."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.text.yaml_values import (
    YamlEditError,
    key_text,
    means,
    tree_of,
    with_entry,
    yaml_block,
    yaml_flow,
    yaml_string,
    yaml_tree,
)


def node(text: str) -> Any:
    """Return the node of a YAML text."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


STRINGS = {
    "a word": ("yes", '"yes"'),
    "nothing": ("", '""'),
    "a quote": ('a"b', '"a\\"b"'),
    "a backslash": ("a\\b", '"a\\\\b"'),
    "line ends": ("a\nb\r\tc", '"a\\nb\\r\\tc"'),
    "a control character": ("\x07", '"\\x07"'),
    "delete": ("\x7f", '"\\x7f"'),
    "a space": (" ", '" "'),
    "a tilde": ("~", '"~"'),
    "a no-break space": ("\xa0", '"\xa0"'),
    "a control character of Latin-1": ("\x9f", '"\\x9f"'),
    "a line separator": ("\u2028", '"\\u2028"'),
    "a paragraph separator": ("\u2029", '"\\u2029"'),
    "a byte-order mark": ("\ufeff", '"\\ufeff"'),
    "the last plain character": ("\ufffd", '"\ufffd"'),
    "no character": ("\uffff", '"\\uffff"'),
    "an emoji": ("😀", '"😀"'),
    "the last before the surrogates": ("\ud7ff", '"\ud7ff"'),
    "the first behind the surrogates": ("\ue000", '"\ue000"'),
}


@pytest.mark.parametrize(("text", "written"), STRINGS.values(), ids=list(STRINGS))
def test_a_string_escapes_what_yaml_forbids_and_no_more(text: str, written: str) -> None:
    assert yaml_string(text) == written
    assert yaml.safe_load(written) == text


FLOW: dict[str, tuple[Any, str]] = {
    "true": (True, "true"),
    "false": (False, "false"),
    "a number is a string": (5000, '"5000"'),
    "a list": (["a", True], '["a", true]'),
    "a mapping": ({"a": "b", "c": ["d"]}, '{"a": "b", "c": ["d"]}'),
    "an empty list": ([], "[]"),
    "an empty mapping": ({}, "{}"),
}


@pytest.mark.parametrize(("value", "text"), FLOW.values(), ids=list(FLOW))
def test_a_value_on_one_line(value: Any, text: str) -> None:
    assert yaml_flow(value) == text


def test_a_block_nests_mappings_and_lists_two_spaces_deeper() -> None:
    entries = {"m": {"e": ["x", "y"], "r": {}}, "b": True, "l": []}

    assert yaml_block(entries, 2) == (
        '  "m":\n    "e":\n      - "x"\n      - "y"\n    "r": {}\n  "b": true\n  "l": []\n'
    )


def test_a_block_uses_the_line_ending_of_its_file() -> None:
    assert yaml_block({"m": {"a": "b"}, "l": ["x"]}, 0, "\r\n") == (
        '"m":\r\n  "a": "b"\r\n"l":\r\n  - "x"\r\n'
    )


VALUES = st.recursive(
    st.booleans() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab:0~ ", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("ab:0~ ", min_size=1, max_size=3), VALUES, max_size=3))
def test_what_is_written_is_what_is_meant(value: dict[str, Any]) -> None:
    block = node(yaml_block(value, 0)) if value else node("{}")

    assert means(node(yaml_flow(value)), value)
    assert means(block, value)
    assert yaml_tree(block) == tree_of(value)


SAME: dict[str, tuple[str, Any, bool]] = {
    "a string": ("a", "a", True),
    "another string": ("a", "b", False),
    "a number without quotes is not a string": ("0123", "0123", False),
    "a quoted number is a string": ('"0123"', "0123", True),
    "true": ("true", True, True),
    "yes is true": ("yes", True, True),
    "On is true": ("On", True, True),
    "off is false": ("off", False, True),
    "true is not false": ("true", False, False),
    "a quoted true is not a boolean": ('"true"', True, False),
    "a list": ("[a, b]", ["a", "b"], True),
    "a list in another order": ("[a, b]", ["b", "a"], False),
    "a longer list": ("[a, b]", ["a"], False),
    "a shorter list": ("[a]", ["a", "b"], False),
    "a list is not a word": ("a", ["a"], False),
    "a mapping": ("{a: b}", {"a": "b"}, True),
    "a mapping in another order": ("{c: d, a: b}", {"a": "b", "c": "d"}, True),
    "a mapping with one key more": ("{a: b, c: d}", {"a": "b"}, False),
    "a mapping with another value": ("{a: c}", {"a": "b"}, False),
    "a mapping is not a list": ("[a]", {"a": "b"}, False),
    "a word is not a mapping": ("a", {}, False),
    "a list where a word is meant": ("[a]", "a", False),
}


@pytest.mark.parametrize(("text", "value", "same"), SAME.values(), ids=list(SAME))
def test_whether_a_node_means_a_value(text: str, value: Any, same: bool) -> None:
    assert means(node(text), value) is same


def test_a_tree_has_the_types_of_scalars_and_expands_aliases() -> None:
    tag = "tag:yaml.org,2002:"

    assert yaml_tree(node("{a: &x [1, '1'], b: *x, c: ~}")) == {
        "a": [("1", f"{tag}int"), ("1", f"{tag}str")],
        "b": [("1", f"{tag}int"), ("1", f"{tag}str")],
        "c": None,
    }


def test_an_empty_document_has_no_tree() -> None:
    assert yaml_tree(None) is None


def test_a_key_is_read_without_its_quotes() -> None:
    assert key_text(node('"a"')) == "a"


@pytest.mark.parametrize("text", ["[a]", "{a: b}"])
def test_a_key_that_is_not_a_word_is_refused(text: str) -> None:
    with pytest.raises(YamlEditError, match="has a key that is not a text"):
        key_text(node(text))


A, B = tree_of("a"), tree_of("b")
ENTRIES: dict[str, tuple[Any, tuple[str, ...], Any, Any]] = {
    "set": ({"x": A}, ("y",), "b", {"x": A, "y": B}),
    "replaced": ({"x": A}, ("x",), "b", {"x": B}),
    "set in a new mapping": ({}, ("m", "x"), "a", {"m": {"x": A}}),
    "set beside another": ({"m": {"x": A}}, ("m", "y"), "b", {"m": {"x": A, "y": B}}),
    "set where a word was": ({"m": A}, ("m", "x"), "a", {"m": {"x": A}}),
    "set in nothing": (None, ("x",), "a", {"x": A}),
    "an empty mapping is a value": ({}, ("x",), {}, {"x": {}}),
    "removed": ({"x": A, "y": B}, ("x",), None, {"y": B}),
    "removed with its empty mapping": ({"m": {"x": A}, "y": B}, ("m", "x"), None, {"y": B}),
    "removed, others stay": ({"m": {"x": A, "y": B}}, ("m", "x"), None, {"m": {"y": B}}),
    "removed, was not there": ({"y": B}, ("x",), None, {"y": B}),
}


@pytest.mark.parametrize(("tree", "path", "value", "after"), ENTRIES.values(), ids=list(ENTRIES))
def test_one_entry_of_a_tree(tree: Any, path: tuple[str, ...], value: Any, after: Any) -> None:
    assert with_entry(tree, path, value) == after


def test_a_tree_is_not_changed_in_place() -> None:
    tree = {"m": {"x": A}}

    with_entry(tree, ("m", "x"), None)

    assert tree == {"m": {"x": A}}
