"""Hidden spans of a text: their order, their union, and what is shown in their place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.masking.spans import (
    Fingerprints,
    Span,
    lowered,
    match_end,
    merged,
    replaced,
    same_length,
    stars,
)

MERGED: dict[str, tuple[list[Span], list[Span]]] = {
    "none": ([], []),
    "one": ([(1, 2)], [(1, 2)]),
    "in order": ([(3, 4), (1, 2)], [(1, 2), (3, 4)]),
    "overlapping": ([(1, 3), (2, 5)], [(1, 5)]),
    "one inside another": ([(1, 9), (2, 5)], [(1, 9)]),
    "the same twice": ([(1, 2), (1, 2)], [(1, 2)]),
    "touching ones stay two": ([(1, 2), (2, 3)], [(1, 2), (2, 3)]),
    "an empty one": ([(1, 1), (2, 3)], [(2, 3)]),
    "an end before its start": ([(4, 1)], []),
    "a chain": ([(0, 3), (2, 6), (5, 8), (9, 10)], [(0, 8), (9, 10)]),
}


@pytest.mark.parametrize(("spans", "union"), MERGED.values(), ids=list(MERGED))
def test_spans_are_sorted_and_joined(spans: list[Span], union: list[Span]) -> None:
    assert merged(spans) == union


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_joined_spans_cover_the_same_characters(spans: list[Span]) -> None:
    covered = {at for start, end in spans for at in range(start, end)}
    union = merged(spans)

    assert {at for start, end in union for at in range(start, end)} == covered
    assert merged(union) == union


def test_each_span_is_replaced_by_the_mark_of_its_text() -> None:
    assert replaced("abcdef", [(4, 5), (0, 2)], lambda hidden: f"<{hidden}>") == "<ab>cd<e>f"


def test_overlapping_spans_have_one_mark() -> None:
    assert replaced("abcdef", [(1, 3), (2, 5)], stars) == "a***f"


def test_a_text_without_spans_stays() -> None:
    assert replaced("abc", [], stars) == "abc"


def test_stars_do_not_show_a_length() -> None:
    assert stars("a") == stars("a longer text") == "***"


def test_nothing_hidden_has_no_stars() -> None:
    assert stars("") == ""


def test_stars_of_the_same_length_keep_spaces_and_line_ends() -> None:
    assert same_length("ab  c\n\tdef") == "**  *\n\t***"


def test_a_fingerprint_has_twelve_hex_digits_behind_its_stars() -> None:
    assert re.fullmatch(r"\*{3}#[0-9a-f]{12}", Fingerprints(b"key")("secret"))


def test_equal_texts_have_equal_fingerprints() -> None:
    assert Fingerprints(b"key")("a") == Fingerprints(b"key")("a")


def test_another_text_has_another_fingerprint() -> None:
    assert Fingerprints(b"key")("a") != Fingerprints(b"key")("b")


def test_another_key_gives_another_fingerprint() -> None:
    assert Fingerprints(b"key")("a") != Fingerprints(b"other")("a")


def test_the_key_is_not_in_the_representation() -> None:
    assert repr(Fingerprints(b"key")) == "Fingerprints()"


def test_a_broken_character_has_a_fingerprint() -> None:
    assert Fingerprints(b"key")("\udc80") != Fingerprints(b"key")("\udc81")


@pytest.mark.parametrize(
    ("text", "lower"),
    [("AbC", "abc"), ("ÄÖ", "äö"), ("\u0130X", "\u0130x"), ("aZ@[`", "az@[`")],
    ids=["letters", "umlauts", "a letter that would become two", "signs beside the letters"],
)
def test_lower_case_keeps_every_position(text: str, lower: str) -> None:
    assert lowered(text) == lower


@given(st.text())
def test_lower_case_has_the_length_of_its_text(text: str) -> None:
    assert len(lowered(text)) == len(text)


def test_the_end_of_a_match_at_a_place() -> None:
    assert match_end(re.compile("a+"), "baac", 1) == 3


def test_without_a_match_the_place_itself() -> None:
    assert match_end(re.compile("a+"), "baac", 0) == 0
