"""The states of a node: their words, meanings and remedies."""

from __future__ import annotations

import re

import pytest

from fleet.cli.app import fleet
from fleet.core.model.node_state import NodeState


@pytest.mark.parametrize("state", NodeState)
def test_every_state_has_a_meaning_of_its_own(state: NodeState) -> None:
    others = {other.meaning for other in NodeState if other is not state}

    assert state.meaning
    assert state.meaning not in others


@pytest.mark.parametrize("state", NodeState)
def test_only_a_node_in_sync_has_nothing_to_do(state: NodeState) -> None:
    assert (state.remedy == "") is (state is NodeState.IN_SYNC)


def test_the_commands_of_the_remedies_exist() -> None:
    commands = {
        name for state in NodeState for name in re.findall(r"`fleet ([a-z]+)", state.remedy)
    }

    assert commands == {"rollout", "drift", "resume", "diff", "hostkeys"}
    assert commands <= fleet.commands.keys()
