"""Numbers with their nouns, in the singular or the plural."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 node, 2 nodes, 0 nodes."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
