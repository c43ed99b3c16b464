"""The states of nodes as text: counted in one order, each with its meaning and what to do."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fleet.cli.output.states import print_states, state_counts
from fleet.cli.output.styles import state_style
from fleet.core.model.node_state import NodeState


@pytest.mark.parametrize("state", NodeState)
def test_each_state_has_a_color_and_a_meaning(state: NodeState) -> None:
    assert state_style(state)
    assert state.meaning
    assert bool(state.remedy) is (state is not NodeState.IN_SYNC)


def test_states_are_counted_in_the_order_of_the_enum() -> None:
    states = [NodeState.UNREACHABLE, NodeState.IN_SYNC, NodeState.IN_SYNC, NodeState.NO_ACCESS]

    assert state_counts(states) == "2 in sync, 1 no access, 1 unreachable"
    assert state_counts([]) == ""


def test_a_state_is_explained_once_and_only_if_there_is_something_to_do() -> None:
    out = Console(file=io.StringIO(), width=200, color_system=None)

    print_states([NodeState.IN_SYNC, NodeState.OUTDATED, NodeState.OUTDATED], [], out)

    assert str(out.file.getvalue()).splitlines() == [  # type: ignore[attr-defined]
        "1 in sync, 2 outdated",
        f"outdated: {NodeState.OUTDATED.meaning}",
        f"  remedy: {NodeState.OUTDATED.remedy}",
    ]


def test_the_remedy_of_a_node_that_was_not_read_is_that_of_its_failure() -> None:
    out = Console(file=io.StringIO(), width=200, color_system=None)

    print_states([NodeState.CONFLICT], [NodeState.CONFLICT, NodeState.UNREACHABLE], out)

    assert str(out.file.getvalue()).splitlines() == [  # type: ignore[attr-defined]
        "2 conflict, 1 unreachable",
        f"conflict: {NodeState.CONFLICT.meaning}",
        f"  remedy: {NodeState.CONFLICT.remedy}",
        f"unreachable: {NodeState.UNREACHABLE.meaning}",
    ]
