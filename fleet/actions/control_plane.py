"""The progress line and the journal entry of a rollout's control plane check."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.actions.journaling import RolloutJournal
from fleet.actions.user_interface import Progress
from fleet.core.history.replay import EntryKind
from fleet.core.selection.ranges import compress
from fleet.engine.control_plane import PlaneAnswer


def announce(progress: Progress, names: list[str]) -> None:
    """Show which nodes are about to be probed."""
    count = "1 node" if len(names) == 1 else f"{len(names)} nodes"
    progress.line(f"asking {count} beside this rollout about the control plane: {compress(names)}")


def record_answers(
    journal: RolloutJournal, rollout: str, answers: Mapping[str, PlaneAnswer]
) -> None:
    """Journal the control plane roles of the probed nodes, and why some were unavailable."""
    roles = {
        name: list(answer.availability.control_plane)
        for name, answer in answers.items()
        if answer.answered
    }
    down = {
        name: reason
        for name, answer in answers.items()
        if (reason := answer.availability.down(rollout))
    }
    journal.append(EntryKind.PLANE_ASKED, None, {"roles": roles, "unavailable": down})
