"""Node sets and the patterns that choose nodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.node import Node
from fleet.core.selection.patterns import override_matches, select
from fleet.core.selection.ranges import compress, expand
from fleet.errors import FleetError

NAMES = ("cp1", "cp2", "w1", "w2", "w3", "edge-01")
INVENTORY = Inventory(
    tuple(Node(name=name, host=name) for name in NAMES),
    {"all": Group("all", NAMES), "cp": Group("cp", NAMES[:2]), "w": Group("w", NAMES[2:5])},
)

EXPANDED = {
    "no range": ("a", ["a"]),
    "numbers": ("a[1-3]", ["a1", "a2", "a3"]),
    "padded": ("a[08-10].x", ["a08.x", "a09.x", "a10.x"]),
    "Ansible's colon": ("a[001:002]", ["a001", "a002"]),
    "steps": ("a[1:9:4]", ["a1", "a5", "a9"]),
    "letters": ("r[a:c]", ["ra", "rb", "rc"]),
    "lists": ("a[1-2,5]", ["a1", "a2", "a5"]),
    "two ranges": ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
}


@pytest.mark.parametrize(("pattern", "names"), EXPANDED.values(), ids=EXPANDED)
def test_expand(pattern: str, names: list[str]) -> None:
    assert list(expand(pattern)) == names


@pytest.mark.parametrize(
    "pattern", ["a[3-1]", "a[]", "a[1-999999999]", "a[1-9:0]", "a[1-400][1-400]"]
)
def test_bad_ranges_are_refused(pattern: str) -> None:
    with pytest.raises(FleetError):
        expand(pattern)


@given(st.lists(st.from_regex(r"[a-z]{1,3}-?[0-9]{0,4}(\.x)?", fullmatch=True), max_size=30))
def test_folding_loses_no_name(names: list[str]) -> None:
    folded = compress(names)

    parts = select_parts(folded)
    assert sorted(name for part in parts for name in expand(part)) == sorted(set(names))


def test_padded_numbers_fold_into_one_range() -> None:
    assert compress(["w098", "w099", "w100", "w7", "w8"]) == "w[098-100],w[7-8]"


def select_parts(folded: str) -> list[str]:
    parts, depth = [""], 0
    for character in folded:
        depth += (character == "[") - (character == "]")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]


SELECTED = {
    "everything": (None, None, NAMES),
    "a group": ("cp", None, ("cp1", "cp2")),
    "a node": ("w2", None, ("w2",)),
    "a glob": ("w*", None, ("w1", "w2", "w3")),
    "a range": ("w[2-3]", None, ("w2", "w3")),
    "a union": ("cp:w1", None, ("cp1", "cp2", "w1")),
    "a union by comma": ("w1,cp1", None, ("cp1", "w1")),
    "in both": ("w:&w[1-2]", None, ("w1", "w2")),
    "but not": ("all:!cp", None, ("w1", "w2", "w3", "edge-01")),
    "only but not": ("!w", None, ("cp1", "cp2", "edge-01")),
    "excluded": ("w", "w1", ("w2", "w3")),
    "from a file": ("@list", None, ("cp1", "w3")),
}


@pytest.mark.parametrize(("limit", "exclude", "names"), SELECTED.values(), ids=SELECTED)
def test_select(limit: str | None, exclude: str | None, names: tuple[str, ...]) -> None:
    files = {"list": "# the first\ncp1\n\nw3 # and another\n"}

    chosen = select(INVENTORY, limit, exclude, files.__getitem__)

    assert tuple(node.name for node in chosen) == names


@pytest.mark.parametrize("limit", ["nobody", "w9", "x*", "w:!w"])
def test_a_pattern_that_names_nobody_is_refused(limit: str) -> None:
    with pytest.raises(FleetError):
        select(INVENTORY, limit, None, str)


def test_overrides_select_by_pattern() -> None:
    found = override_matches(INVENTORY, ["w", "edge-*", "nobody"])

    assert found == {
        "w1": {"w"},
        "w2": {"w"},
        "w3": {"w"},
        "edge-01": {"edge-*"},
    }


EMPTY_OR_BROKEN = ["", " ", ",", "w[", "w[1-2", f"w[1-{'9' * 5000}]", "@self", "@nothing"]


@pytest.mark.parametrize("pattern", EMPTY_OR_BROKEN)
def test_an_empty_or_broken_pattern_never_means_the_whole_fleet(pattern: str) -> None:
    files = {"self": "@self\n", "nothing": "# none\n"}

    with pytest.raises(FleetError):
        select(INVENTORY, pattern, None, files.__getitem__)
    with pytest.raises(FleetError):
        select(INVENTORY, "all", pattern, files.__getitem__)


def test_a_file_may_leave_nodes_out() -> None:
    chosen = select(INVENTORY, "@list", None, {"list": "w\n!w1\n"}.__getitem__)

    assert [node.name for node in chosen] == ["w2", "w3"]
