"""The pieces of a YAML text, by their offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.text.yaml_pieces import yaml_pieces

TEXTS = {
    "plain": ("a: b\n", ["a", "b"]),
    "quotes": ("'a': \"b\"\n", ["'a'", '"b"']),
    "a flow": ("a: [b, {c: d}]\n", ["a", "b", "c", "d"]),
    "a block ends without its line break": (
        "a: |\n  b\n  c\n\nd: e\n",
        ["a", "|\n  b\n  c", "d", "e"],
    ),
    "a byte order mark": ("\ufeffa: b\n", ["a", "b"]),
    "wide characters": ("\U0001f600: \u5317\n", ["\U0001f600", "\u5317"]),
}


@pytest.mark.parametrize(("text", "parts"), TEXTS.values(), ids=TEXTS)
def test_the_offsets_of_scalars_are_those_in_the_text(text: str, parts: list[str]) -> None:
    found = [text[piece.start : piece.end] for piece in yaml_pieces(text) if piece.kind == "scalar"]

    assert found == parts


def test_collections_have_both_edges_and_aliases_their_anchors() -> None:
    kinds = [piece.kind for piece in yaml_pieces("a: &x [b]\nc: *x\n") if piece.kind != "other"]
    anchors = [piece.anchor for piece in yaml_pieces("a: &x [b]\nc: *x\n") if piece.anchor]

    assert kinds == [
        "mapping", "scalar", "sequence", "scalar", "end", "scalar", "alias", "end",
    ]  # fmt: skip
    assert anchors == ["x", "x"]


def test_what_comes_before_a_mistake_is_read() -> None:
    *pieces, last = yaml_pieces("a: b\n\tc: [\n")

    assert [piece.value for piece in pieces if piece.kind == "scalar"][:1] == ["a"]
    assert (last.kind, last.end) == ("error", len("a: b\n\tc: [\n"))


@given(st.text())
def test_any_text_has_pieces_in_order(text: str) -> None:
    starts = [piece.start for piece in yaml_pieces(text)]

    assert starts == sorted(starts)
    assert all(0 <= start <= len(text) for start in starts)
