"""Samples: the same nodes every time, and a confidence that the numbers bear."""

from __future__ import annotations

from math import comb

import pytest

from fleet.core.selection.sample import sample

NAMES = [f"w{number}" for number in range(100)]


def test_a_sample_is_the_same_every_time_and_in_the_order_of_the_fleet() -> None:
    chosen = sample(NAMES, 10)

    assert chosen == sample(NAMES, 10)
    assert len(chosen.names) == 10
    assert list(chosen.names) == [name for name in NAMES if name in chosen.names]
    assert set(sample(NAMES, 5).names) < set(chosen.names)


@pytest.mark.parametrize(("total", "size"), [(100, 10), (100, 1), (1000, 59), (20, 19), (5, 5)])
def test_what_a_sample_says_of_the_rest(total: int, size: int) -> None:
    """By the hypergeometric distribution: one more ill node would have shown in 95 % of samples."""
    most = sample([str(number) for number in range(total)], size).at_most

    def unseen(ill: int) -> float:
        return comb(total - ill, size) / comb(total, size)

    assert unseen(most) >= 0.05
    assert most == total - size or unseen(most + 1) < 0.05


def test_a_whole_fleet_leaves_nothing_open() -> None:
    assert sample(NAMES, 100).at_most == 0
