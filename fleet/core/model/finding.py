"""Findings: conflicts on a node before a change, and what a rollout does about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.errors import shortened


class FindingEffect(StrEnum):
    """The effect of a finding on a rollout."""

    HEALS = "heals"
    REFUSES = "refuses"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Finding:
    """A conflict on a node: a fixed code, its effect on the rollout, file and line, and a message.

    `stops_cri` means that CRI cannot load because of it, so that the node is unhealthy.
    """

    code: str
    effect: FindingEffect
    where: str
    message: str
    stops_cri: bool = False

    def __str__(self) -> str:
        """Return the finding as one line."""
        return shortened(f"{self.where}: {self.message}")
