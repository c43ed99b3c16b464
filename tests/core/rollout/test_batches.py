"""Batches: their sizes, how nodes are divided, and the limits of groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.inventory import Group, Inventory
from fleet.core.rollout.batches import (
    Limit,
    Size,
    cut_batches,
    group_limits,
    parse_batches,
    parse_size,
)
from fleet.errors import FleetError

SIZES = {
    "a number": ("3", Size(3)),
    "zero": ("0", Size(0)),
    "a percentage": ("25%", Size(25, percent=True)),
    "all": ("100%", Size(100, percent=True)),
    "spaces": (" 3 ", Size(3)),
    "six digits": ("999999", Size(999_999)),
}


@pytest.mark.parametrize(("text", "size"), SIZES.values(), ids=list(SIZES))
def test_a_size_is_a_number_or_a_percentage(text: str, size: Size) -> None:
    assert parse_size(text, "--flag") == size


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "101%", "%", "1 %", "1000000", "3%%"])
def test_a_bad_size_is_refused_with_the_name_of_its_flag(text: str) -> None:
    with pytest.raises(FleetError) as raised:
        parse_size(text, "--max-failures")

    assert str(raised.value) == (
        f"--max-failures: expected a number or a percentage such as 3 or 25%, got {text!r}"
    )


NUMBERS = {
    "a number": (Size(3), 10, 3),
    "a number above the total": (Size(30), 10, 30),
    "a percentage": (Size(10, percent=True), 50, 5),
    "a percentage is rounded down": (Size(25, percent=True), 11, 2),
    "a percentage is at least one": (Size(1, percent=True), 3, 1),
    "zero is at least one": (Size(0), 10, 1),
    "nothing of nothing is at least one": (Size(50, percent=True), 0, 1),
}


@pytest.mark.parametrize(("size", "total", "number"), NUMBERS.values(), ids=list(NUMBERS))
def test_the_number_of_nodes_of_a_size(size: Size, total: int, number: int) -> None:
    assert size.of(total) == number


def test_sizes_of_batches_are_joined_by_commas() -> None:
    assert parse_batches("1,10%, 5") == (Size(1), Size(10, percent=True), Size(5))


@pytest.mark.parametrize("text", ["", "x", "1,,2", "101%", "-1", "1.5"])
def test_bad_sizes_of_batches_are_refused(text: str) -> None:
    with pytest.raises(FleetError, match="--batch: expected a number"):
        parse_batches(text)


@pytest.mark.parametrize("text", ["0", "1,0%"])
def test_an_empty_batch_would_never_end(text: str) -> None:
    with pytest.raises(FleetError, match="--batch: a batch needs at least 1 node"):
        parse_batches(text)


BATCHES = {
    "numbers": ("1,2", 6, [1, 2, 2, 1]),
    "percentages round down": ("25%", 10, [2, 2, 2, 2, 2]),
    "but never below one": ("1%", 3, [1, 1, 1]),
    "mixed": ("1,10%,50%", 20, [1, 2, 10, 7]),
    "more than there are": ("9", 3, [3]),
    "no nodes": ("1", 0, []),
}


@pytest.mark.parametrize(("text", "count", "lengths"), BATCHES.values(), ids=list(BATCHES))
def test_nodes_are_divided_in_order(text: str, count: int, lengths: list[int]) -> None:
    names = [f"n{number}" for number in range(count)]

    batches = cut_batches(names, parse_batches(text))

    assert [len(batch) for batch in batches] == lengths
    assert [name for batch in batches for name in batch] == names


APART = {
    "one in a batch": ("AbCdE", "ACE", 1, ["Ab", "Cd", "E"]),
    "nodes behind move up": ("ABcd", "AB", 1, ["Ac", "Bd"]),
    "two in a batch": ("ABCd", "ABC", 2, ["AB", "Cd"]),
    "none in the fleet": ("abcd", "XY", 1, ["ab", "cd"]),
    "they alone remain": ("aBCD", "BCD", 1, ["aB", "C", "D"]),
}


@pytest.mark.parametrize(("names", "apart", "together", "batches"), APART.values(), ids=list(APART))
def test_a_batch_holds_few_of_the_nodes_that_are_kept_apart(
    names: str, apart: str, together: int, batches: list[str]
) -> None:
    cut = cut_batches(names, parse_batches("2"), apart, together)

    assert ["".join(batch) for batch in cut] == batches


@given(
    st.integers(0, 20),
    st.lists(st.integers(1, 5).map(Size), min_size=1, max_size=3),
    st.sets(st.integers(0, 20)),
    st.integers(1, 3),
)
def test_every_node_is_in_one_batch(
    count: int, sizes: list[Size], apart: set[int], together: int
) -> None:
    names = [str(number) for number in range(count)]
    limited = {str(number) for number in apart}

    batches = cut_batches(names, sizes, limited, together)

    assert sorted(name for batch in batches for name in batch) == sorted(names)
    assert all(batches)
    assert all(len(limited.intersection(batch)) <= together for batch in batches)


def test_a_groups_max_unavailable_is_a_limit_of_the_whole_group() -> None:
    groups = {
        "none": Group("none", ("a",)),
        "number": Group("number", ("a", "b"), max_unavailable="1"),
        "percent": Group("percent", ("a", "b", "c", "d"), max_unavailable="50%"),
    }

    assert group_limits(Inventory((), groups)) == (
        Limit(frozenset("ab"), 1),
        Limit(frozenset("abcd"), 2),
    )


def test_a_bad_max_unavailable_names_its_group() -> None:
    groups = {"edge": Group("edge", ("a",), max_unavailable="x")}

    with pytest.raises(FleetError, match=r"^edge: expected a number"):
        group_limits(Inventory((), groups))
