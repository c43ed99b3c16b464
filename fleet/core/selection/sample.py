"""Samples of the nodes, and the confidence that a sample gives for the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


_RISK = 0.05 - 1e-12
"""The least probability of a sample without an unhealthy node, minus a margin for rounding."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Some of a fleet's nodes, in the fleet's order."""

    names: tuple[str, ...]
    total: int

    @property
    def at_most(self) -> int:
        """Return how many nodes may still be unhealthy, at 95 %, if the whole sample is healthy.

        It is the greatest number at which a sample without an unhealthy node has a probability of
        at least 5 %.
        """
        unhealthy, chance = 0, 1.0
        while unhealthy < self.total - len(self.names):
            # One more unhealthy node is among the others; nodes are drawn without replacement.
            chance *= (self.total - len(self.names) - unhealthy) / (self.total - unhealthy)
            if chance < _RISK:
                break
            unhealthy += 1
        return unhealthy


def sample(names: Sequence[str], size: int) -> Sample:
    """Return a sample of `size` nodes: the same ones every time, by a digest of their names."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"sample {name}".encode()).digest())
    chosen = frozenset(order[:size])
    return Sample(tuple(name for name in names if name in chosen), len(names))
