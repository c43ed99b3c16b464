"""Patterns that select nodes: unions, intersections, exclusions and files."""

from __future__ import annotations

import pytest

from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.node import Node
from fleet.core.selection.patterns import override_matches, select
from fleet.errors import FleetError

NAMES = ("cp1", "cp2", "w1", "w2", "w3", "edge-01")
INVENTORY = Inventory(
    tuple(Node(name=name, host=name) for name in NAMES),
    {"all": Group("all", NAMES), "cp": Group("cp", NAMES[:2]), "w": Group("w", NAMES[2:5])},
)

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


def test_a_group_with_the_name_label_keeps_the_colon_as_union() -> None:
    group = Group("label", ("w1",))
    inventory = Inventory(INVENTORY.nodes, {**INVENTORY.groups, "label": group})

    assert [node.name for node in select(inventory, "label:w2", None, str)] == ["w1", "w2"]


def test_overrides_select_by_label() -> None:
    group = Group("label:pool=gpu", ("w1",))
    inventory = Inventory(INVENTORY.nodes, {**INVENTORY.groups, group.name: group})

    assert override_matches(inventory, [group.name]) == {"w1": {"label:pool=gpu"}}


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
