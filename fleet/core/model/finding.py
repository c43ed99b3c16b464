"""Findings: conflicts on a node before a change, and what a rollout does about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.errors import shortened


class FindingEffect(StrEnum):
    """What a rollout does about a finding."""

    HEALS = "heals"
    REFUSES = "refuses"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Finding:
    """One conflict: a fixed code, what becomes of it, file and line, and words for people.

    `kills` marks what keeps CRI from loading: such a node is unhealthy because of it.
    """

    code: str
    effect: FindingEffect
    where: str
    message: str
    kills: bool = False

    def __str__(self) -> str:
        """Show it as one line."""
        return shortened(f"{self.where}: {self.message}")
