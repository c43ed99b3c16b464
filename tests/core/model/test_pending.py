"""A pending change is told with its rollout, since when, and why its guard fails."""

from __future__ import annotations

import pytest

from fleet.core.model.pending import Pending, pending_findings

ID = "20261127-101500-abcd"
NOON = 1_795_780_800
CASES = {
    "armed": (Pending(ID, "armed", NOON), "is unconfirmed since 2026-11-27 12:00:00 UTC"),
    "in force": (Pending(ID, "swapped", NOON), "is unconfirmed since 2026-11-27 12:00:00 UTC"),
    "being taken back": (Pending(ID, "reverting", NOON), "began at 2026-11-27 12:00:00 UTC"),
    "without a phase": (Pending(ID, "", NOON), "began at 2026-11-27 12:00:00 UTC"),
    "its guard fails": (
        Pending(ID, "reverting", NOON, "mv: not permitted", NOON + 60),
        "cannot revert change 20261127-101500-abcd since 2026-11-27 12:01:00 UTC (mv: not",
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


def test_nothing_is_told_where_nothing_is_pending() -> None:
    assert list(pending_findings(None)) == []
