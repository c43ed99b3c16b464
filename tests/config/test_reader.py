"""Typed reading: a value of the right type is returned, any other becomes a problem."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.config.reader import Reader, unknown_key
from tests.support.values import parsed, scalar


def problems(reader: Reader) -> list[str]:
    return [str(problem) for problem in reader.problems]


def test_a_mapping_is_returned_with_its_entries() -> None:
    reader = Reader("f.yaml")
    value = parsed("a: 1\nb: x\n")

    assert reader.mapping(value, "here") == value.data
    assert problems(reader) == []


def test_null_counts_as_an_empty_mapping() -> None:
    reader = Reader("f.yaml")

    assert reader.mapping(scalar(None), "here") == {}
    assert problems(reader) == []


NO_MAPPINGS = {
    "a string": ("x", 'the string "x"'),
    "an integer": ("5", 'the integer "5"'),
    "a number": ("1.5", 'the number "1.5"'),
    "a boolean": ("true", "a boolean"),
    "a list": ("[1]", "a list"),
}


@pytest.mark.parametrize(("text", "shown"), NO_MAPPINGS.values(), ids=NO_MAPPINGS)
def test_what_is_not_a_mapping_is_a_problem_and_empty(text: str, shown: str) -> None:
    reader = Reader("f.yaml")

    assert reader.mapping(parsed(text), "here") == {}
    assert problems(reader) == [f"f.yaml:1:1: here: expected a mapping, got {shown}"]


def test_the_items_of_a_list_are_returned_in_order() -> None:
    reader = Reader("f.yaml")

    assert [item.data for item in reader.items(parsed("[b, a]"), "here")] == ["b", "a"]
    assert problems(reader) == []


NO_LISTS = {
    "nothing": ("~", "nothing"),
    "a string": ("x", 'the string "x"'),
    "a mapping": ("{a: 1}", "a mapping"),
}


@pytest.mark.parametrize(("text", "shown"), NO_LISTS.values(), ids=NO_LISTS)
def test_what_is_not_a_list_is_a_problem_and_empty(text: str, shown: str) -> None:
    reader = Reader("f.yaml")

    assert reader.items(parsed(text), "here") == ()
    assert problems(reader) == [f"f.yaml:1:1: here: expected a list, got {shown}"]


STRINGS = {
    "a word": ("x", "x"),
    "a quoted number": ('"07"', "07"),
    "an integer": ("0x1F", "0x1F"),
    "a version": ("1.70", "1.70"),
    "an empty text": ('""', ""),
}


@pytest.mark.parametrize(("text", "expected"), STRINGS.values(), ids=STRINGS)
def test_a_number_is_read_as_text_in_the_way_it_is_written(text: str, expected: str) -> None:
    reader = Reader("f.yaml")

    assert reader.string(parsed(text), "here") == expected
    assert problems(reader) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [("true", "a boolean"), ("~", "nothing"), ("[x]", "a list"), ("{x: }", "a mapping")],
)
def test_what_is_no_text_is_not_read_as_a_string(text: str, shown: str) -> None:
    reader = Reader("f.yaml")

    assert reader.string(parsed(text), "here") is None
    assert problems(reader) == [f"f.yaml:1:1: here: expected a string, got {shown}"]


@given(st.integers(-(10**6), 10**6), st.integers(-100, 100), st.integers(-100, 100))
def test_an_integer_is_read_if_it_is_within_its_limits(number: int, least: int, most: int) -> None:
    reader = Reader("f.yaml")

    found = reader.integer(scalar(number), "here", least, most)

    within = least <= number <= most
    assert found == (number if within else None)
    expected = f"f.yaml:1:1: here: expected {least} to {most}, got {number}"
    assert problems(reader) == ([] if within else [expected])


@pytest.mark.parametrize(
    ("text", "shown"),
    [('"22"', 'the string "22"'), ("2.5", 'the number "2.5"'), ("true", "a boolean")],
)
def test_what_looks_like_an_integer_is_not_one(text: str, shown: str) -> None:
    reader = Reader("f.yaml")

    assert reader.integer(parsed(text), "here", 0, 100) is None
    assert problems(reader) == [f"f.yaml:1:1: here: expected an integer, got {shown}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("true", True), ("yes", True), ("On", True)),
        *(("False", False), ("NO", False), ("off", False)),
    ],
)
def test_a_boolean_has_the_words_of_ansible_as_well(text: str, expected: bool) -> None:
    reader = Reader("f.yaml")

    assert reader.boolean(parsed(text), "here") is expected
    assert problems(reader) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1", 'the integer "1"'), ("ja", 'the string "ja"'), ("~", "nothing"), ("[]", "a list")],
)
def test_what_is_neither_true_nor_false_is_a_problem(text: str, shown: str) -> None:
    reader = Reader("f.yaml")

    assert reader.boolean(parsed(text), "here") is None
    assert problems(reader) == [f"f.yaml:1:1: here: expected true or false, got {shown}"]


def test_a_choice_is_one_of_its_words() -> None:
    reader = Reader("f.yaml")

    assert reader.choice(scalar("pull"), "here", ("push", "pull")) == "pull"
    assert problems(reader) == []


@pytest.mark.parametrize(
    ("data", "shown"), [("Pull", 'the string "Pull"'), (1, 'the integer "1"'), (None, "nothing")]
)
def test_any_other_word_is_a_problem_that_names_the_choices(data: Any, shown: str) -> None:
    reader = Reader("f.yaml")

    assert reader.choice(scalar(data), "here", ("push", "pull")) is None
    assert problems(reader) == [f"f.yaml:1:1: here: expected pull or push, got {shown}"]


def test_a_problem_stands_where_its_value_stands() -> None:
    reader = Reader("f.yaml")

    reader.error(scalar("x", line=7, column=3), "a.b", "is wrong")
    reader.error(scalar("x", line=8, column=1), "", "is wrong too")

    assert problems(reader) == ["f.yaml:7:3: a.b: is wrong", "f.yaml:8:1: is wrong too"]


def test_a_warning_is_not_a_problem() -> None:
    reader = Reader("f.yaml")

    reader.warn(scalar("x", line=2, column=5), "a", "look here")

    assert problems(reader) == []
    assert [str(warning) for warning in reader.warnings] == ["f.yaml:2:5: warning: a: look here"]


@pytest.mark.parametrize("report", [Reader.error, Reader.warn])
def test_no_message_shows_the_login_in_a_url(report: Any) -> None:
    reader = Reader("f.yaml")

    report(reader, scalar("x"), "url", "https://eve:pw@mirror.example is odd")

    (message,) = [problem.message for problem in (*reader.problems, *reader.warnings)]
    assert "pw" not in message
    assert message.endswith("mirror.example is odd")


@pytest.mark.parametrize("place", ["configs.a.auth.password", "items[0].token"])
def test_the_value_of_a_secret_key_is_not_shown(place: str) -> None:
    reader = Reader("f.yaml")

    reader.boolean(scalar("hunter2"), place)

    assert problems(reader) == [f"f.yaml:1:1: {place}: expected true or false, got a string"]


def test_every_unknown_key_is_a_problem_at_its_own_place() -> None:
    reader = Reader("f.yaml")

    entries = reader.mapping(parsed("port: 1\nprot: 2\nxyzzy: 3\n"), "n")
    reader.known_keys(entries, "n", ("port", "host"))

    assert problems(reader) == [
        'f.yaml:2:1: n: unknown key "prot" (did you mean "port"?)',
        'f.yaml:3:1: n: unknown key "xyzzy"',
    ]


def test_a_hint_names_one_key_and_only_a_near_one() -> None:
    assert unknown_key("hots", ("host", "hosts")) == 'unknown key "hots" (did you mean "hosts"?)'
    assert unknown_key("a", ("host",)) == 'unknown key "a"'
