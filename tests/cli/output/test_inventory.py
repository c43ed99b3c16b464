"""The inventory as text, as a tree and as data; and the mistakes of both files."""

from __future__ import annotations

import json

import pytest

from fleet.cli.output.inventory import show_checked, show_inventory
from fleet.core.model.inventory import Group, Inventory, InventoryValue
from fleet.core.model.node import Node, Origin
from fleet.errors import Excerpt, Problem
from tests.support.settings import JSON, TEXT

OWN, FAR = Origin("i.yaml", 7, 3, "a.w1"), Origin("i.yaml", 2, 3, "all")
NODES = (
    Node(name="w1", host="10.0.0.1", port=22, groups=("a", "all"), origins={"port": OWN}),
    Node(name="w2", host="w2", groups=("b", "all")),
)
INVENTORY = Inventory(
    NODES,
    {
        "all": Group("all", ("w1", "w2"), ("a", "b"), values={"port": InventoryValue(99, FAR)}),
        "a": Group("a", ("w1",)),
        "b": Group("b", ("w2",)),
    },
)


def shown(
    capsys: pytest.CaptureFixture[str], *nodes: Node, full: bool = False, graph: bool = False
) -> list[str]:
    show_inventory(INVENTORY, nodes or NODES, TEXT, full=full, graph=graph)
    return capsys.readouterr().out.splitlines()


def test_a_node_is_shown_with_the_values_that_the_file_gives(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(capsys) == [
        "w1  [a, all]",
        "  host: 10.0.0.1",
        "  port: 22  # i.yaml:7:3 (a.w1)",
        "w2  [b, all]",
        "  host: w2",
    ]


def test_a_node_in_full_has_what_its_values_beat(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, NODES[0], full=True)

    assert lines[0].startswith("w1  [a, all]")
    place = lines.index("  port: 22  # i.yaml:7:3 (a.w1)")
    assert lines[place + 1] == "    overrides 99  # i.yaml:2:3 (all)"
    assert any(line.startswith("  user: -  # ") for line in lines)


def test_the_tree_has_each_node_in_its_nearest_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, graph=True) == ["@all", "  @a", "    w1", "  @b", "    w2"]


def test_the_tree_has_the_chosen_nodes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, NODES[1], graph=True) == ["@all", "  @a", "  @b", "    w2"]


def test_nodes_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_inventory(INVENTORY, NODES[:1], JSON, full=False, graph=False)

    node = json.loads(capsys.readouterr().out)["nodes"]["w1"]
    assert node["groups"] == ["a", "all"]
    assert node["values"]["host"] == {"value": "10.0.0.1", "from": None, "overrides": []}
    assert node["values"]["port"] == {
        "value": 22,
        "from": "i.yaml:7:3 (a.w1)",
        "overrides": [{"value": 99, "from": "i.yaml:2:3 (all)"}],
    }
    assert "user" not in node["values"]


PROBLEM = Problem("m.yaml", 3, 5, "is odd", "warning", Excerpt("x: 1", 1, 1))
COUNTS = {"nodes": 2, "registries": 3}


def test_files_that_are_right_are_counted_with_their_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_checked(TEXT, (PROBLEM,), COUNTS)

    written = capsys.readouterr()
    assert written.out == f"{PROBLEM.shown()}\nok: 2 nodes, 3 registries (1 warning)\n"
    assert written.err == ""


def test_the_mistakes_of_refused_files_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show_checked(TEXT, (PROBLEM,), None)

    written = capsys.readouterr()
    assert (written.out, written.err) == ("", f"{PROBLEM.shown()}\n1 warning\n")


@pytest.mark.parametrize("counts", [None, COUNTS])
def test_a_check_is_data(capsys: pytest.CaptureFixture[str], counts: dict[str, int] | None) -> None:
    show_checked(JSON, (PROBLEM,), counts)

    assert json.loads(capsys.readouterr().out) == {
        "ok": counts is not None,
        **(counts or {}),
        "problems": [
            {
                "file": "m.yaml",
                "line": 3,
                "column": 5,
                "severity": "warning",
                "message": "is odd",
                "excerpt": {"text": "x: 1", "column": 1, "length": 1},
            }
        ],
    }
