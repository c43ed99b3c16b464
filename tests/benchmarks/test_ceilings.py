"""The ceilings of round trips, as data and in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ceilings import CEILINGS, Ceiling, Cost, cost
from tests.support.wire import Tally

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "performance.md").read_text()


@pytest.mark.parametrize("ceiling", CEILINGS, ids=lambda each: each.name)
def test_every_ceiling_stands_in_the_docs(ceiling: Ceiling) -> None:
    assert ceiling.row() in PAGE


def tallies(*turns: int) -> tuple[Tally, ...]:
    return tuple(Tally(turns=each) for each in turns)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param([tallies(7)], Cost(1, 7, 0), id="one connection is the main one"),
        pytest.param([tallies(7, 14, 7)], Cost(3, 21, 7), id="the last of several is the second"),
        pytest.param(
            [tallies(8, 14), tallies(7, 15)], Cost(2, 7, 14), id="late clients do not count"
        ),
        pytest.param(
            [tallies(7), tallies(14, 7)], Cost(2, 14, 7), id="the node with most connections counts"
        ),
    ],
)
def test_a_node_costs_the_least_turns_of_each_connection(
    nodes: list[tuple[Tally, ...]], expected: Cost
) -> None:
    assert cost(nodes) == expected
