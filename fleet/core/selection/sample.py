"""A sample of the nodes, and the confidence that it gives for the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


_RISK = 0.05 - 1e-12
"""How rare a sample without an ill node may be; a hair less, as floats are."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of a fleet's nodes, in the fleet's order."""

    names: tuple[str, ...]
    total: int

    @property
    def at_most(self) -> int:
        """Return how many nodes of the fleet may still be ill, at 95 %, if all of these are well.

        The greatest number with which a sample without a single ill node is not rarer than 5 %.
        """
        ill, chance = 0, 1.0
        while ill < self.total - len(self.names):
            # One more ill node among those that were not chosen (drawn without putting back).
            chance *= (self.total - len(self.names) - ill) / (self.total - ill)
            if chance < _RISK:
                break
            ill += 1
        return ill


def sample(names: Sequence[str], size: int) -> Sample:
    """Choose `size` nodes: spread by a digest of their names, so the same ones every time."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"sample {name}".encode()).digest())
    chosen = frozenset(order[:size])
    return Sample(tuple(name for name in names if name in chosen), len(names))
