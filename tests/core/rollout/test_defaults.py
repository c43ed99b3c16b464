"""The defaults of a rollout fit each other and the texts that they are parsed from."""

from __future__ import annotations

from fleet.core.rollout import defaults
from fleet.core.rollout.batches import Size, parse_batches, parse_size


def test_one_node_comes_first_and_then_a_quarter_at_a_time() -> None:
    assert parse_batches(defaults.BATCHES) == (Size(1), Size(25, percent=True))


def test_no_failure_is_accepted() -> None:
    assert parse_size(defaults.MAX_FAILURES, "--max-failures") == Size(0)


def test_the_guard_outlasts_health_and_soak() -> None:
    assert defaults.GUARD > defaults.HEALTH + defaults.SOAK + 5
