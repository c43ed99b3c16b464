"""Ranges of node names: expanded into names, and names compressed into one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.selection.ranges import MOST, compress, expand
from fleet.errors import FleetError

EXPANDED = {
    "no range": ("a", ["a"]),
    "numbers": ("a[1-3]", ["a1", "a2", "a3"]),
    "one number": ("a[5-5]", ["a5"]),
    "padded": ("a[08-10].x", ["a08.x", "a09.x", "a10.x"]),
    "Ansible's colon": ("a[001:002]", ["a001", "a002"]),
    "steps": ("a[1:9:4]", ["a1", "a5", "a9"]),
    "ClusterShell's steps": ("a[1-9/4]", ["a1", "a5", "a9"]),
    "a step beyond the end": ("a[1:3:9]", ["a1"]),
    "letters": ("r[a:c]", ["ra", "rb", "rc"]),
    "capital letters": ("r[A-C]", ["rA", "rB", "rC"]),
    "letters in the wrong order": ("r[c-a]", []),
    "lists": ("a[1-2,5]", ["a1", "a2", "a5"]),
    "words in a list": ("r[east,west2]", ["reast", "rwest2"]),
    "two ranges": ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
    "a range alone": ("[1-2]", ["1", "2"]),
    "zero": ("a[0-1]", ["a0", "a1"]),
}


@pytest.mark.parametrize(("pattern", "names"), EXPANDED.values(), ids=list(EXPANDED))
def test_a_pattern_is_expanded_in_order(pattern: str, names: list[str]) -> None:
    assert list(expand(pattern)) == names


REFUSED = {
    "the wrong order": ("a[3-1]", "'a[3-1]': [3-1]: the range ends before it starts"),
    "a step of 0": ("a[1-9:0]", "'a[1-9:0]': [1-9:0]: a step of 0 never ends"),
    "too far": ("a[1-999999999]", "'a[1-999999999]' names more than 100000 nodes"),
    "nothing": ("a[]", "'a[]': [] is not a range: write [1-3] or [01:40]"),
    "nothing in a list": ("a[1,,2]", "'a[1,,2]': [1,,2] is not a range: write [1-3] or [01:40]"),
    "mixed letters": ("a[a-C]", "'a[a-C]': [a-C] is not a range: write [1-3] or [01:40]"),
    "a negative number": ("a[-1-3]", "'a[-1-3]': [-1-3] is not a range: write [1-3] or [01:40]"),
    "too many together": ("a[1-400][1-400]", "'a[1-400][1-400]' names more than 100000 nodes"),
    "too many in a list": (
        "a[1-60000,1-60000]",
        "'a[1-60000,1-60000]' names more than 100000 nodes",
    ),
}


@pytest.mark.parametrize(("pattern", "message"), REFUSED.values(), ids=list(REFUSED))
def test_a_range_that_cannot_be_meant_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(FleetError) as raised:
        expand(pattern)

    assert str(raised.value) == message


def test_the_longest_range_is_expanded() -> None:
    assert len(expand(f"a[1-{MOST}]")) == MOST


COMPRESSED = {
    "nothing": ([], ""),
    "one name": (["a1"], "a1"),
    "a run": (["a1", "a2", "a3"], "a[1-3]"),
    "two of a run": (["a1", "a2"], "a[1-2]"),
    "a gap": (["a1", "a2", "a4"], "a[1-2,4]"),
    "in any order": (["a3", "a1", "a2"], "a[1-3]"),
    "no number": (["a", "b"], "a,b"),
    "suffixes": (["a1.x", "a2.x", "a1.y"], "a[1-2].x,a1.y"),
    "numbers in the prefix": (["r1n1", "r1n2", "r2n1"], "r1n[1-2],r2n1"),
    "padded": (["w01", "w02"], "w[01-02]"),
    "padded, with one digit more": (["w099", "w100"], "w[099-100]"),
    "two widths": (["w098", "w099", "w100", "w7", "w8"], "w[098-100],w[7-8]"),
    "the same twice": (["a1", "a1"], "a1"),
    "in the order of the first of each": (["b1", "a", "b2"], "b[1-2],a"),
}


@pytest.mark.parametrize(("names", "text"), COMPRESSED.values(), ids=list(COMPRESSED))
def test_names_are_compressed(names: list[str], text: str) -> None:
    assert compress(names) == text


def parts_of(text: str) -> list[str]:
    """Split a text at the commas outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]


@given(st.lists(st.from_regex(r"[a-z]{1,3}-?[0-9]{0,4}(\.x)?", fullmatch=True), max_size=30))
def test_compressed_names_are_expanded_to_the_same(names: list[str]) -> None:
    parts = parts_of(compress(names))

    assert sorted(name for part in parts for name in expand(part)) == sorted(set(names))
