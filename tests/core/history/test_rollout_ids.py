"""Rollout IDs as users type them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleet.core.history.rollout_ids import ambiguous, begun_at, find_ids, is_complete

KNOWN = ("20261127-224110-a1b2", "20261127-101500-00ff", "20261126-101500-a1b2", "r1")

FOUND = {
    "last": KNOWN[:1],
    "20261127-101500-00ff": KNOWN[1:2],
    "20261127-2": KNOWN[:1],
    "20261127": KNOWN[:2],
    "r1": KNOWN[3:],
    "00ff": KNOWN[1:2],
    "a1b2": (KNOWN[0], KNOWN[2]),
    "0ff": (),
    "": (),
    "2025": (),
    "las": (),
}


@pytest.mark.parametrize("given", FOUND)
def test_ids_are_found_by_what_is_typed(given: str) -> None:
    assert tuple(find_ids(given, KNOWN)) == FOUND[given]


def test_an_id_that_is_also_a_prefix_means_itself() -> None:
    assert find_ids("r1", ["r12", "r1"]) == ["r1"]


def test_nothing_is_the_last_of_no_rollouts() -> None:
    assert find_ids("last", []) == []


@pytest.mark.parametrize(
    ("text", "complete"),
    [(KNOWN[0], True), ("20261127-224110-a1b", False), ("last", False), (f"{KNOWN[0]}\n", False)],
)
def test_only_whole_ids_are_complete(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


def test_a_whole_id_has_a_time() -> None:
    assert begun_at(KNOWN[0]) == datetime(2026, 11, 27, 22, 41, 10, tzinfo=UTC)
    assert [begun_at(text) for text in ("last", "20261399-224110-a1b2")] == [None, None]


def test_an_ambiguous_id_lists_a_few_candidates() -> None:
    error = str(ambiguous("2026", [f"2026-{number}" for number in range(12)]))

    assert error.splitlines()[0] == "'2026' is ambiguous; type more of the rollout ID:"
    assert error.splitlines()[1] == "  2026-0"
    assert error.splitlines()[-1] == "  and 2 more"
    assert len(error.splitlines()) == 12
