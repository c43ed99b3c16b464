"""A pending change is told with its rollout, since when, and why its guard fails."""

from __future__ import annotations

import pytest

from fleet.core.model.pending import Pending, pending_findings

ID = "20261127-101500-abcd"
NOON = 1_795_780_800
CASES = {
    "armed": (Pending(ID, "armed", NOON), "is unconfirmed since 2026-11-27 12:00:00 UTC"),
    "with a timer": (
        Pending(ID, "swapped", NOON, reverts_in=97),
        f"reverts it in 97 s unless `fleet resume {ID}` confirms it",
    ),
    "without a timer": (Pending(ID, "swapped", NOON), "no timer will revert it"),
    "in force": (Pending(ID, "swapped", NOON), "is unconfirmed since 2026-11-27 12:00:00 UTC"),
    "being taken back": (Pending(ID, "reverting", NOON), "began at 2026-11-27 12:00:00 UTC"),
    "without a phase": (Pending(ID, "", NOON), "began at 2026-11-27 12:00:00 UTC"),
    "its guard fails": (
        Pending(ID, "reverting", NOON, "mv: not permitted", NOON + 60),
        f"has failed to revert the change of rollout {ID} since 2026-11-27 12:01:00 UTC (mv: not",
    ),
    "a time of no calendar": (Pending(ID, "armed", 1 << 70), "since an unknown time"),
}


@pytest.mark.parametrize(("pending", "words"), CASES.values(), ids=list(CASES))
def test_what_is_told_of_a_pending_change(pending: Pending, words: str) -> None:
    (found,) = pending_findings(pending)

    assert words in found.message
    assert ID in found.message
    assert found.code == ("guard-failing" if pending.failed else "guard-pending")
    assert not found.stops_cri


def test_the_time_of_a_pending_change_is_text() -> None:
    assert Pending(ID, "armed", NOON).began == "2026-11-27T12:00:00+00:00"
    assert Pending(ID, "armed", 1 << 70).began is None


def test_nothing_is_told_where_nothing_is_pending() -> None:
    assert list(pending_findings(None)) == []
