"""The notes that say which rollouts a plan undoes."""

from __future__ import annotations

from fleet.core.model.generation import Generation
from fleet.core.plan.undo_notes import undo_notes


def test_every_rollout_is_named_with_its_time_and_message() -> None:
    names = (
        "20261127-224100-ab12",
        "20261126-070000-00ff",
        "20261126-070000-00ff-displaced",
        "20260101-000000-00aa.pruned",
    )

    notes = undo_notes([Generation(name, ()) for name in names], {names[1]: "OPS-7"})

    assert list(notes) == [
        "undoes 20261127-224100-ab12 of 2026-11-27 22:41 UTC",
        "undoes 20261126-070000-00ff of 2026-11-26 07:00 UTC: OPS-7",
        "undoes 20261126-070000-00ff-displaced",
        "undoes all older rollouts up to 20260101-000000-00aa of 2026-01-01 00:00 UTC",
    ]
