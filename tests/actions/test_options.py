"""The options of a rollout: what is refused, and what a resume reads back."""

from __future__ import annotations

from dataclasses import fields
from math import inf
from typing import Any

import click
import pytest

from fleet.actions.options import CHOICES, RANGES, RenderOptions, RolloutOptions
from fleet.cli.commands.rollback import rollback
from fleet.cli.commands.rollout import rollout
from fleet.errors import FleetError

REFUSED = {
    "a negative time": ({"soak": -5}, "soak=-5: expected a number from 0 to 600"),
    "a guard that is no time": ({"guard": -1}, "guard=-1: expected a number from 0 to 86400"),
    "a negative pause": ({"pause": -1}, "pause=-1: expected 0 or more"),
    "no time to pull": ({"pull_timeout": 0}, "pull_timeout=0: expected a number from 1"),
    "an unknown end": ({"on_failure": "panic"}, "on_failure='panic': expected one of halt, roll"),
    "an unknown fate": ({"foreign": "burn"}, "foreign='burn': expected one of adopt, keep, over"),
    "an empty batch": ({"batch": "0"}, "--batch: a batch needs at least 1 node"),
    "no number": ({"max_failures": "few"}, "--max-failures: expected a number"),
    "no registry": ({"registry": ""}, "--registry: '' is not a registry: expected HOST"),
    "a registry with a slash": ({"registry": "quay.io/"}, "--registry: 'quay.io/' is not a reg"),
    "a guard that is too short": ({"guard": 10, "soak": 6}, "Use --guard 11 or more"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FleetError, match=message):
        RolloutOptions(**options).validate()


def test_options_have_the_limits_of_their_flags() -> None:
    flags = {option.name: option.type for option in [*rollout.params, *rollback.params]}

    ranges = {
        name: flag
        for name, flag in flags.items()
        if isinstance(flag, click.IntRange | click.FloatRange)
    }
    own = {field.name for field in fields(RolloutOptions)}
    limits = {
        name: (flag.min, inf if flag.max is None else flag.max)
        for name, flag in ranges.items()
        if name in own
    }
    assert limits == RANGES
    on_failure = flags["on_failure"]
    assert isinstance(on_failure, click.Choice)
    assert CHOICES["on_failure"] == tuple(on_failure.choices)


@pytest.mark.parametrize(
    ("given", "name"),
    [("QUAY.IO", "quay.io"), ("index.docker.io", "docker.io"), ("*", "_default"), (None, None)],
)
def test_a_registry_has_the_name_of_its_folder(given: str | None, name: str | None) -> None:
    options = RolloutOptions(registry=given)

    options.validate()
    assert options.registry_name == name


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
