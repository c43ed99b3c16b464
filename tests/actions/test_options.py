"""The options of a rollout: what is refused, and what a resume reads back."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.actions.options import RenderOptions, RolloutOptions
from fleet.errors import FleetError

REFUSED = {
    "an empty batch": ({"batch": "0"}, "--batch: a batch of 0 nodes"),
    "no number": ({"max_failures": "few"}, "--max-failures: expected a number"),
    "a guard that is too short": ({"guard": 10, "soak": 6}, "give --guard 11 or more"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FleetError, match=message):
        RolloutOptions(**options).validate()


@pytest.mark.parametrize("guard", [0, 11])
def test_no_guard_and_one_that_is_long_enough_are_taken(guard: int) -> None:
    RolloutOptions(guard=guard, soak=6).validate()


def test_options_are_read_back_from_the_journal_of_any_release() -> None:
    options = RolloutOptions(batch="2", foreign="keep", guard=99, rerun=("failed", "x"))

    assert RolloutOptions.read(options.data()) == options
    assert RolloutOptions.read({"batch": "2", "of a later release": 1}).batch == "2"


def test_parts_of_the_options_go_to_the_files_and_to_the_nodes() -> None:
    options = RolloutOptions(foreign="keep", full_default=True, health_timeout=7, pull_timeout=8)

    assert options.render == RenderOptions(foreign="keep", full_default=True)
    assert (options.deadlines.health, options.deadlines.pull) == (7, 8)
